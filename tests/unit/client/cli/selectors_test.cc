#include "client/cli/selectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/task_groups.h"

namespace icarus::client {
namespace {

using Kind = Selector::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

Selector One(const std::string& word) {
  const auto selectors = ParseSelectors({word});
  if (!selectors || selectors->size() != 1) {
    ADD_FAILURE() << word;
    return {};
  }
  return selectors->front();
}

TEST(Selectors, JobsTasksAndRanges) {
  EXPECT_EQ(One("7").kind, Kind::kJob);
  EXPECT_EQ(One("7").job, JobId(7));
  EXPECT_EQ(One("7.2").kind, Kind::kTask);
  EXPECT_EQ(One("7.2").job, JobId(7));
  EXPECT_EQ(One("7.2").index, 2U);
  EXPECT_EQ(One("1-3").kind, Kind::kRange);
  EXPECT_EQ(One("1-3").job, JobId(1));
  EXPECT_EQ(One("1-3").last, JobId(3));
}

TEST(Selectors, Words) {
  EXPECT_EQ(One("last").kind, Kind::kLast);
  EXPECT_EQ(One("all").kind, Kind::kAll);
  EXPECT_EQ(One("tag:study=x").kind, Kind::kTag);
  EXPECT_EQ(One("tag:study=x").key, "study");
  EXPECT_EQ(One("tag:study=x").value, "x");
  EXPECT_EQ(One("name:wing*").kind, Kind::kName);
  EXPECT_EQ(One("name:wing*").value, "wing*");
}

TEST(Selectors, CommaListsAndSeveralWords) {
  const auto selectors = ParseSelectors({"1,3,5-8", "last"});
  ASSERT_TRUE(selectors);
  std::vector<Kind> kinds;
  for (const Selector& selector : *selectors) kinds.push_back(selector.kind);
  EXPECT_THAT(kinds, ElementsAre(Kind::kJob, Kind::kJob, Kind::kRange, Kind::kLast));
}

TEST(Selectors, NonsenseIsRefusedByName) {
  for (const char* word : {"x7", "", "7.", ".2", "7.x", "0", "3-1", "1-", "-1", "1--2", "tag:x", "tag:=x",
                           "name:", "1,,2", "1 2", "99999999999999999999", "1-999999999", "7.4294967296"}) {
    const auto selectors = ParseSelectors({word});
    ASSERT_FALSE(selectors) << word;
    EXPECT_EQ(selectors.error().code, ErrorCode::kUsage);
  }
}

TEST(Selectors, GroupsAreByJobAndAWholeJobNeedsNoTasks) {
  const auto groups = GroupByJob({{JobId(7), 2}, {JobId(8), std::nullopt}, {JobId(7), 4}, {JobId(8), 1}});
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].job, JobId(7));
  EXPECT_THAT(groups[0].tasks, ElementsAre(2, 4));
  EXPECT_EQ(groups[1].job, JobId(8));
  EXPECT_THAT(groups[1].tasks, IsEmpty());
}

}  // namespace
}  // namespace icarus::client
