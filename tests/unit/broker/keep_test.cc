// What a stopped attempt has kept goes to the next one, whatever happens between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

FileRef Kept(const std::string& content) {
  FileRef file;
  file.name = "state";
  file.hash = HashBytes(content);
  file.size = content.size();
  return file;
}

class KeepTest : public ::testing::Test {
 protected:
  void SetUp() override { world_.AddWorker("w", 1); }
  GivenTask Take() {
    const auto given = world_.TakeDispatched("w");
    EXPECT_THAT(given, SizeIs(1));
    return given.empty() ? GivenTask{} : given.front();
  }
  void Save(const GivenTask& task, const FileRef& file) {
    TaskEvents events;
    events.saved = std::vector<SavedFiles>{{task.execution, task.token, {file}}};
    world_.SendFromWorker("w", events);
  }
  TaskSummary Shown(JobId job) {
    ShowJob request;
    request.job = job;
    return world_.Ask<ShowJobReply>("alice", request).items.at(0);
  }

  CoreWorld world_;
};

TEST_F(KeepTest, WhatIsGivenBackGoesOnAndCountsForNothing) {
  const JobId job = world_.Submit(CoreWorld::Noop());
  world_.Stop("w", Take(), TaskState::kCancelled, {Kept("1")});
  const GivenTask again = Take();
  EXPECT_THAT(again.kept, ElementsAre(Kept("1")));
  EXPECT_EQ(again.attempt, 2u);
  world_.Finish("w", again);
  EXPECT_EQ(Shown(job).state, TaskState::kCompleted);
  ASSERT_THAT(Shown(job).history, SizeIs(1));
  EXPECT_EQ(Shown(job).history[0].error.kind, TaskErrorKind::kCancelled);
  EXPECT_FALSE(world_.tasks.at({job, 0}).kept) << "nobody needs it any more";
}

// The records are what tells that a file is needed.
TEST_F(KeepTest, EveryoneWhoWaitsForTheAttemptHasTheFileInARecord) {
  const JobId first = world_.Submit(CoreWorld::Polar("1e6"));
  const GivenTask task = Take();
  const JobId second = world_.Submit(CoreWorld::Polar("1e6"));
  Save(task, Kept("1"));
  EXPECT_EQ(world_.tasks.at({first, 0}).attempt, 0u) << "counted by its dispatch";
  for (const JobId job : {first, second}) {
    ASSERT_TRUE(world_.tasks.contains({job, 0}));
    EXPECT_THAT(world_.tasks.at({job, 0}).kept, ::testing::Optional(ElementsAre(Kept("1"))));
  }
}

TEST_F(KeepTest, ItOutlivesTheBroker) {
  world_.Submit(CoreWorld::Noop());
  const GivenTask task = Take();
  world_.Start("w", task);
  world_.SendFromWorker("w", Drain{true});
  world_.Stop("w", task, TaskState::kCancelled, {Kept("1")});
  world_.Restart();
  world_.AddWorker("w", 1);
  const GivenTask again = Take();
  EXPECT_THAT(again.kept, ElementsAre(Kept("1")));
  EXPECT_EQ(again.attempt, 2u);
}

TEST_F(KeepTest, WhatWasSavedIsThereWhenItsWorkerIsLostEvenOverARestart) {
  world_.Submit(CoreWorld::Noop());
  const GivenTask task = Take();
  world_.Start("w", task);
  Save(task, Kept("1"));
  Save(task, Kept("2"));
  world_.Restart();
  for (int second = 0; second < 100; ++second) world_.Advance(1'000);
  world_.AddWorker("v", 1);
  const auto again = world_.TakeDispatched("v");
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_THAT(again[0].kept, ElementsAre(Kept("2")));
  EXPECT_EQ(again[0].attempt, 2u) << "the attempt that was lost is counted once";
}

TEST_F(KeepTest, ASaveWithAnOldTokenIsRefused) {
  world_.Submit(CoreWorld::Noop());
  const GivenTask task = Take();
  world_.ReturnTask("w", task);
  const GivenTask again = Take();
  Save(task, Kept("old"));
  world_.ReturnTask("w", again);
  EXPECT_THAT(Take().kept, IsEmpty());
}

TEST_F(KeepTest, ATimeoutKeepsForItsRetryAndForTheOwners) {
  JobSpec spec = CoreWorld::Noop();
  spec.retries = 1;
  const JobId job = world_.Submit(spec);
  world_.Stop("w", Take(), TaskState::kTimedOut, {Kept("1")});
  world_.Advance(5'000);
  const GivenTask again = Take();
  EXPECT_THAT(again.kept, ElementsAre(Kept("1")));
  world_.Stop("w", again, TaskState::kTimedOut, {Kept("2")});
  EXPECT_EQ(world_.StateOf(job, 0), TaskState::kTimedOut);
  world_.Restart();
  world_.AddWorker("w", 1);
  EXPECT_EQ(world_.Ask<RetryReply>("alice", Retry{job, {}}).retried, 1u);
  EXPECT_THAT(Take().kept, ElementsAre(Kept("2")));
}

TEST_F(KeepTest, WhatIsCancelledStaysSo) {
  const JobId job = world_.Submit(CoreWorld::Noop());
  const GivenTask task = Take();
  world_.Start("w", task);
  world_.SendFromClient("alice", Cancel{job, {}, ""});
  Save(task, Kept("1"));
  world_.Stop("w", task, TaskState::kCancelled, {Kept("2")});
  EXPECT_EQ(world_.StateOf(job, 0), TaskState::kCancelled);
  world_.Restart();
  EXPECT_EQ(world_.StateOf(job, 0), TaskState::kCancelled);
}

}  // namespace
}  // namespace icarus::broker::testing
