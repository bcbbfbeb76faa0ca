// Retries by the owner, time limits, cancels that lose a race, and what of all that a restart keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TaskSummary Shown(CoreWorld& world, JobId job, TaskIndex index = 0) {
  ShowJob request;
  request.job = job;
  request.first = index;
  request.limit = 1;
  const auto reply = world.Ask<ShowJobReply>("alice", request);
  EXPECT_THAT(reply.items, SizeIs(1));
  return reply.items.empty() ? TaskSummary{} : reply.items.front();
}

TEST(Lifecycle, TheOwnersRetryKeepsHistoryAndCountsAttemptsOn) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop();
  spec.retries = 1;
  const JobId job = world.Submit(spec);
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  world.Advance(2'000);
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(world.job(job).state(), TaskState::kFailed);
  EXPECT_THAT(Shown(world, job).history, SizeIs(2));

  EXPECT_EQ(world.Ask<RetryReply>("alice", Retry{job, {}}).retried, 1u);
  EXPECT_THAT(world.job(job).failures, IsEmpty());
  world.Restart();
  world.AddWorker("w", 1);
  const auto again = world.TakeDispatched("w");
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].attempt, 3u);
  world.Finish("w", again[0]);
  const TaskSummary shown = Shown(world, job);
  EXPECT_EQ(shown.state, TaskState::kCompleted);
  EXPECT_EQ(shown.attempt, 3u);
  ASSERT_THAT(shown.history, SizeIs(2));
  EXPECT_EQ(shown.history[0].attempt, 1u);
  EXPECT_EQ(shown.history[1].error.kind, TaskErrorKind::kSolverCrashed);
}

TEST(Lifecycle, FailureGroupsOfAFinishedJobOutliveTheBroker) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop());
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  world.Restart();
  ASSERT_THAT(world.job(job).failures, SizeIs(1));
  EXPECT_EQ(world.job(job).failures[0].kind, TaskErrorKind::kInvalidInput);
}

TEST(Lifecycle, ARetryOfOneTaskLeavesTheOtherFailuresCounted) {
  CoreWorld world;
  world.AddWorker("w", 2);
  const JobId job = world.Submit(CoreWorld::Noop("0:1:1"));
  for (const auto& task : world.TakeDispatched("w")) {
    world.Finish("w", task, TaskState::kFailed, TaskErrorKind::kInvalidInput);
  }
  EXPECT_EQ(world.Ask<RetryReply>("alice", Retry{job, {1}}).retried, 1u);
  ASSERT_THAT(world.job(job).failures, SizeIs(1));
  EXPECT_EQ(world.job(job).failures[0].count, 1u);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kFailed);
}

TEST(Lifecycle, ARetryStartsTheTimeLimitsAnew) {
  CoreConfig config;
  config.worker_lost_after_ms = 1'000'000'000;
  CoreWorld world(config);
  JobSpec spec = CoreWorld::Noop("0:2:1");
  spec.queue_timeout_ms = 5'000;
  spec.deadline_ms = 20'000;
  const JobId job = world.Submit(spec);
  world.Advance(6'000);
  EXPECT_EQ(world.job(job).state(), TaskState::kTimedOut);
  world.Advance(1'000);
  EXPECT_EQ(world.Ask<RetryReply>("alice", Retry{job, {}}).retried, 3u);
  world.Advance(4'000);
  EXPECT_EQ(world.StateOf(job, 2), TaskState::kPending) << "four of five seconds";
  world.AddWorker("w", 3);
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(3));
  world.Start("w", given[0]);
  world.Advance(15'999);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kRunning);
  world.Advance(1);
  EXPECT_THAT(world.TakeStops("w"), SizeIs(3)) << "the deadline counts from the retry";
}

TEST(Lifecycle, ARequeuedTaskHasAQueueTimeoutOfItsOwn) {
  CoreConfig config;
  config.worker_lost_after_ms = 1'000'000'000;
  CoreWorld world(config);
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop("0:1:1");
  spec.queue_timeout_ms = 10'000;
  const JobId job = world.Submit(spec);
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world.Advance(10'000);
  EXPECT_EQ(world.StateOf(job, 1), TaskState::kTimedOut);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending) << "it does not wait in the queue";
  world.SendFromWorker("w", Drain{});
  world.ReturnTask("w", given[0]);
  world.Advance(9'999);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending);
  world.Restart();
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending) << "its time begins anew after a restart";
  world.Advance(10'000);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kTimedOut);
  EXPECT_EQ(world.job(job).state(), TaskState::kTimedOut);
}

TEST(Lifecycle, ACancelThatLosesTheRaceCountsTheTaskAsEnded) {
  CoreWorld world;
  world.AddWorker("w", 2);
  const JobId job = world.Submit(CoreWorld::Noop("0:1:1"));
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2));
  world.SendFromClient("alice", Cancel{job, {}, ""});
  world.Finish("w", given[0]);
  world.Finish("w", given[1], TaskState::kCancelled, TaskErrorKind::kCancelled);
  const auto reply = world.Answer<CancelReply>("alice");
  EXPECT_EQ(reply.cancelled, 1u);
  EXPECT_EQ(reply.already_final, 1u);
}

TEST(Lifecycle, BackoffGoesOnOverARestart) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop();
  spec.retries = 1;
  const JobId job = world.Submit(spec);
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  world.Restart();
  world.AddWorker("w", 1, {}, {}, "w");
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty()) << "backing off";
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending);
  world.Advance(2'000);
  world.Beat("w");
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
}

TEST(Lifecycle, ACancelEndsATaskThatBacksOffAfterARestart) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop();
  spec.retries = 1;
  const JobId job = world.Submit(spec);
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  world.Restart();
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{job, {}, ""}).cancelled, 1u);
  EXPECT_EQ(world.job(job).state(), TaskState::kCancelled);
  world.Advance(100'000);
}

TEST(Lifecycle, AgesAndDeadlinesCountTimeThatIsServedOnly) {
  CoreWorld world;
  JobSpec spec = CoreWorld::Noop();
  spec.deadline_ms = 10'000;
  const JobId job = world.Submit(spec);
  world.Advance(6'000);
  world.SetWall(1'900'000'000'000);  // years later, says the wall clock
  world.Restart();
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending);
  world.Advance(3'999);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending);
  world.Advance(1);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kTimedOut);
}

TEST(Lifecycle, AJoinRaisesThePriorityOfWhatWaitsInTheQueue) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobSpec polar = CoreWorld::Polar("1e6");
  world.Submit(polar);
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  JobSpec equal = polar;
  equal.priority = 9;
  world.Submit(equal);  // joins what is at the worker
  JobSpec other = CoreWorld::Noop("", 5);
  world.Submit(other);
  world.ReturnTask("w", given[0]);
  EXPECT_EQ(world.TakeDispatched("w").at(0).priority, 9) << "the execution came back with a subscriber of priority 9";
}

TEST(Lifecycle, AResultWithAWatchdogsGapIsNotCached) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobSpec polar = CoreWorld::Polar("1e6");
  world.Submit(polar);
  world.FinishUncacheable("w", world.TakeDispatched("w").at(0));
  world.Submit(polar);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
}

TEST(Lifecycle, AnIdStandsForOneRequest) {
  CoreWorld world;
  world.AddClient("alice", "alice");
  const JobId job = world.Submit(CoreWorld::Noop("0:4:1"), "alice", "nightly");
  JobSpec urgent = CoreWorld::Noop("0:4:1");
  urgent.priority = 7;
  EXPECT_EQ(world.Submit(urgent, "alice", "nightly"), job) << "the same tasks";
  world.Restart();
  world.AddClient("alice", "alice");
  world.Submit(CoreWorld::Noop("0:5:1"), "alice", "nightly");
  const auto error = world.LastError("alice");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kRefused);
  EXPECT_THAT(error->message, HasSubstr("'nightly' is that of job 1"));
}

TEST(Lifecycle, ADefaultThatIsTakenBackIsLearnedAnewFromWhoIsThere) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Polar("1e6"));
  const std::string offered = world.job(JobId(1)).identity;
  CoreConfig pinned;
  pinned.solver_default["panel"] = "1.0+other";
  world.Configure(pinned);
  const JobId other = world.Submit(CoreWorld::Polar("2e6"));
  EXPECT_EQ(world.job(other).identity, "1.0+other");
  world.Configure(CoreConfig{});
  const JobId again = world.Submit(CoreWorld::Polar("3e6"));
  EXPECT_EQ(world.job(again).identity, offered);
}

TEST(Lifecycle, AReadOnlyBrokerAnswersAndChangesNothing) {
  CoreWorld world;
  world.AddWorker("w", 2);
  const JobId job = world.Submit(CoreWorld::Noop("0:2:1"));
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2));
  world.Start("w", given[0]);
  world.core().OnReadOnly("an older copy");
  world.Finish("w", given[0]);
  EXPECT_THAT(world.acknowledged, IsEmpty()) << "the worker keeps its result";
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty());
  world.Ask<SubmitReply>("alice", Submit{"new", CoreWorld::Noop()});
  ASSERT_TRUE(world.LastError("alice"));
  EXPECT_THAT(world.LastError("alice")->message, HasSubstr("an older copy"));
  world.Ask<CancelReply>("alice", Cancel{job, {}, ""});
  EXPECT_TRUE(world.LastError("alice"));
  EXPECT_THAT(world.Ask<ListJobsReply>("alice", ListJobs{}).jobs, SizeIs(1));
  EXPECT_EQ(world.Ask<EstimateReply>("alice", Estimate{CoreWorld::Noop("0:2:1")}).tasks, 3u);
  for (int second = 0; second < 60; ++second) world.Advance(1000);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kRunning) << "and nobody counts as lost";
}

TEST(Lifecycle, NoConvergenceIsTriedAgainOnlyWhereThePolicySaysSo) {
  for (const bool retried : {false, true}) {
    CoreConfig config;
    config.retry_no_convergence = retried;
    CoreWorld world(config);
    world.AddWorker("w", 1);
    JobSpec spec = CoreWorld::Noop();
    spec.retries = 1;
    const JobId job = world.Submit(spec);
    world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kNoConvergence);
    EXPECT_EQ(world.StateOf(job, 0), retried ? TaskState::kPending : TaskState::kFailed);
  }
}

TEST(Lifecycle, WhatIsInTheCacheNeedsNoWorker) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Polar("1e6"));
  world.Finish("w", world.TakeDispatched("w").at(0));
  world.Restart();
  world.AddClient("alice", "alice");
  JobSpec pinned = CoreWorld::Polar("1e6");
  pinned.solver_identity = world.job(JobId(1)).identity;
  const auto reply = world.Ask<SubmitReply>("alice", Submit{"again", pinned});
  EXPECT_EQ(reply.cached, 1u);
  EXPECT_THAT(reply.warnings, IsEmpty());
  pinned.sweep.axes[0].columns[0].values = *ParseValues("2e6");
  EXPECT_THAT(world.Ask<SubmitReply>("alice", Submit{"other", pinned}).warnings, SizeIs(1)) << "this one has to wait";
}

}  // namespace
}  // namespace icarus::broker::testing
