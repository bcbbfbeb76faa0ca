// What the core puts into the result cache, and what it takes out of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class CacheRules : public ::testing::Test {
 protected:
  void SetUp() override { world_.AddWorker("w", 1); }
  // A polar, which ends so when it comes to the worker.
  JobId Fail(TaskErrorKind kind) {
    const JobId job = world_.Submit(polar_);
    world_.Finish("w", world_.TakeDispatched("w").at(0),
                  kind == TaskErrorKind::kTimedOut ? TaskState::kTimedOut : TaskState::kFailed, kind, 0.5, "");
    return job;
  }
  const TaskRecord& RecordOf(JobId job) { return world_.tasks.at({job, 0}); }

  CoreWorld world_;
  JobSpec polar_ = CoreWorld::Polar("1e6");
};

TEST_F(CacheRules, AFailureThatComesForCertainIsKnownForAWhile) {
  for (const TaskErrorKind kind : {TaskErrorKind::kNoConvergence, TaskErrorKind::kInvalidInput}) {
    polar_ = CoreWorld::Polar(kind == TaskErrorKind::kNoConvergence ? "1e6" : "2e6");
    Fail(kind);
    const JobId again = world_.Submit(polar_);
    EXPECT_THAT(world_.TakeDispatched("w"), IsEmpty());
    EXPECT_EQ(world_.job(again).state(), TaskState::kFailed);
    EXPECT_EQ(RecordOf(again).via, ResultVia::kCache);
    ASSERT_TRUE(RecordOf(again).error);
    EXPECT_EQ(RecordOf(again).error->kind, kind);
  }
  for (int i = 0; i < 30; ++i) {
    world_.Advance(10'000);
    world_.Beat("w");
  }
  world_.AddClient("alice", "alice");
  world_.Submit(polar_);
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(1));
}

TEST_F(CacheRules, AFailureIsStillKnownAfterARestart) {
  Fail(TaskErrorKind::kNoConvergence);
  world_.Restart();
  world_.AddWorker("w", 1);
  EXPECT_EQ(world_.job(world_.Submit(polar_)).state(), TaskState::kFailed);
}

TEST_F(CacheRules, CrashesTimeoutsAndWhatAWatchdogStoppedAreNeverKnown) {
  polar_.retries = 0;
  for (const TaskErrorKind kind : {TaskErrorKind::kSolverCrashed, TaskErrorKind::kTimedOut, TaskErrorKind::kInternal,
                                   TaskErrorKind::kWorkerLost}) {
    Fail(kind);
    EXPECT_EQ(world_.core().cache().entries(), 0u) << static_cast<int>(kind);
  }
}

TEST_F(CacheRules, WhoRetriesOrRefreshesDoesNotBelieveIt) {
  const JobId job = Fail(TaskErrorKind::kNoConvergence);
  EXPECT_EQ(world_.Ask<RetryReply>("alice", Retry{job, {}, "again"}).retried, 1u);
  const auto given = world_.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world_.Finish("w", given[0]);
  EXPECT_EQ(world_.job(world_.Submit(polar_)).state(), TaskState::kCompleted);
}

TEST_F(CacheRules, AValueTakesThePlaceOfAFailure) {
  Fail(TaskErrorKind::kNoConvergence);
  JobSpec fresh = polar_;
  fresh.cache = CachePolicy::kRefresh;
  world_.Submit(fresh);
  world_.Finish("w", world_.TakeDispatched("w").at(0));
  const JobId again = world_.Submit(polar_);
  EXPECT_EQ(world_.job(again).state(), TaskState::kCompleted);
  EXPECT_EQ(RecordOf(again).via, ResultVia::kCache);
}

TEST_F(CacheRules, WithoutATimeForFailuresNoneIsKnown) {
  CoreConfig config;
  config.cache_failure_ttl_ms = 0;
  world_.Configure(config);
  Fail(TaskErrorKind::kNoConvergence);
  world_.Submit(polar_);
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(1));
}

TEST_F(CacheRules, AValueThatCannotBeReadThisTimeIsComputedAndStays) {
  world_.Submit(polar_);
  world_.Finish("w", world_.TakeDispatched("w").at(0));
  world_.EndCacheReads(CacheReadEnd::kFailed);
  const JobId unlucky = world_.Submit(polar_);
  EXPECT_EQ(world_.job(unlucky).state(), TaskState::kPending);
  EXPECT_EQ(world_.core().cache().entries(), 1u);
  world_.EndCacheReads(CacheReadEnd::kFound);
  const JobId lucky = world_.Submit(polar_);
  EXPECT_EQ(world_.job(lucky).state(), TaskState::kCompleted);
  EXPECT_EQ(RecordOf(lucky).via, ResultVia::kCache);
  EXPECT_EQ(world_.Ask<CacheReply>("alice", CacheQuery{}).damaged, 0u);
}

TEST_F(CacheRules, AValueThatWasNotWrittenIsForgotten) {
  world_.Submit(polar_);
  world_.Finish("w", world_.TakeDispatched("w").at(0));
  ASSERT_EQ(world_.core().cache().entries(), 1u);
  world_.core().OnCachePutsLost({*RecordOf(JobId(1)).key});
  EXPECT_EQ(world_.core().cache().entries(), 0u);
  EXPECT_EQ(world_.Ask<CacheReply>("alice", CacheQuery{}).dropped_puts, 1u);
  world_.Submit(polar_);
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(1));
}

}  // namespace
}  // namespace icarus::broker::testing
