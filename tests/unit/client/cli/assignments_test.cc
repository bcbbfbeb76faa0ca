#include "client/cli/assignments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icarus::client {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Assignments, SplitAtTheFirstEquals) {
  const auto split = SplitAssignment("a=b=c", "p");
  ASSERT_TRUE(split);
  EXPECT_THAT(*split, Pair("a", "b=c"));
  EXPECT_THAT(*SplitAssignment("a=", "p"), Pair("a", ""));
}

TEST(Assignments, WithoutANameTheyAreRefused) {
  for (const char* text : {"7", "=7", ""}) {
    const auto split = SplitAssignment(text, "p");
    ASSERT_FALSE(split) << text;
    EXPECT_EQ(split.error().code, ErrorCode::kUsage);
  }
}

TEST(Assignments, EachNameOnce) {
  EXPECT_FALSE(ParseAssignments({"a=1", "a=2"}, "tag"));
  EXPECT_THAT(*ParseAssignments({"b=2", "a=1"}, "tag"), ElementsAre(Pair("a", "1"), Pair("b", "2")));
}

TEST(Assignments, ZipSplitsWhereANameFollowsTheComma) {
  EXPECT_THAT(*SplitZip("a=1,2,3,b=4,5,6"), ElementsAre(Pair("a", "1,2,3"), Pair("b", "4,5,6")));
  EXPECT_THAT(*SplitZip("i=1:2:1,bytes=10:20:10"), ElementsAre(Pair("i", "1:2:1"), Pair("bytes", "10:20:10")));
  EXPECT_THAT(*SplitZip("control.flap=0,10,mach=0.1,0.2"),
              ElementsAre(Pair("control.flap", "0,10"), Pair("mach", "0.1,0.2")));
  EXPECT_THAT(*SplitZip("w=none,panel,v=1,2"), ElementsAre(Pair("w", "none,panel"), Pair("v", "1,2")));
  EXPECT_THAT(*SplitZip("a=1"), ElementsAre(Pair("a", "1")));
}

TEST(Assignments, ZipWithoutANameIsRefused) {
  EXPECT_FALSE(SplitZip("1,2,3"));
  EXPECT_FALSE(SplitZip(""));
}

}  // namespace
}  // namespace icarus::client
