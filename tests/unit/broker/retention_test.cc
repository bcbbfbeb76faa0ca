// How long ended jobs are kept, and what explain says of tasks in each place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

CoreConfig Patient() {
  CoreConfig config;
  config.worker_lost_after_ms = 1'000'000'000;
  config.client_session_ms = 1'000'000'000;
  config.retention_ms = 3'600'000;
  return config;
}

TEST(Retention, AnEndedJobGoesInItsTimeAndItsNumberIsNotUsedAgain) {
  CoreWorld world(Patient());
  world.AddWorker("w", 1);
  const JobId first = world.Submit(CoreWorld::Noop(), "alice", "mine");
  world.Finish("w", world.TakeDispatched("w").at(0));
  world.Advance(3'599'000);
  EXPECT_TRUE(world.core().jobs().contains(first));
  world.Advance(1'000);
  EXPECT_FALSE(world.core().jobs().contains(first));
  world.SendFromClient("alice", ShowJob{first, {}, 0, 1});
  ASSERT_TRUE(world.LastError("alice"));
  EXPECT_THAT(world.LastError("alice")->message, HasSubstr("jobs.retention_hours"));
  world.Restart();
  EXPECT_EQ(world.Submit(CoreWorld::Noop()).value, first.value + 1) << "also when no job is left to tell";
}

TEST(Retention, WhatRunsOrWasRetriedStays) {
  CoreWorld world(Patient());
  world.AddWorker("w", 1);
  const JobId failed = world.Submit(CoreWorld::Noop());
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  world.Advance(3'000'000);
  world.Ask<RetryReply>("alice", Retry{failed, {}});
  const auto given = world.TakeDispatched("w");
  world.Advance(3'000'000);
  EXPECT_TRUE(world.core().jobs().contains(failed));
  world.Finish("w", given.at(0));
  world.Restart();
  world.Advance(3'599'000);
  EXPECT_TRUE(world.core().jobs().contains(failed)) << "from the new end on";
  world.Advance(1'000);
  EXPECT_FALSE(world.core().jobs().contains(failed));
}

TEST(Retention, APostponedExpiryDoesNotOutliveARetry) {
  CoreWorld world(Patient());
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop());
  world.SendFromClient("alice", Watch{{job}});  // its updates are never acknowledged
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  world.Advance(3'600'000);
  ASSERT_TRUE(world.core().jobs().contains(job)) << "somebody looks at it: put off for a moment";
  world.SendFromClient("alice", Retry{job, {}});
  world.SendFromClient("alice", Goodbye{});
  world.Finish("w", world.TakeDispatched("w").at(0));
  world.Advance(10'000);
  EXPECT_TRUE(world.core().jobs().contains(job)) << "from its new end it is kept as long as any";
}

TEST(Retention, AChangedSettingTakesEffectAtOnce) {
  CoreWorld world(Patient());
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop());
  world.Finish("w", world.TakeDispatched("w").at(0));
  CoreConfig config = Patient();
  config.retention_ms = 0;
  world.Configure(config);
  world.Advance(59'000);
  EXPECT_TRUE(world.core().jobs().contains(job)) << "long enough to be looked at";
  world.Advance(1'000);
  EXPECT_FALSE(world.core().jobs().contains(job));
}

std::string Kind(CoreWorld& world, JobId job, TaskIndex index = 0) {
  return world.Ask<ExplainReply>("alice", Explain{job, index}).kind;
}

TEST(Explain, NamesTheReasonInEachPlace) {
  CoreWorld world(Patient());
  const JobId job = world.Submit(CoreWorld::Noop("0:3:1"));
  EXPECT_EQ(Kind(world, job), "no_worker");
  world.AddWorker("other", 1, {{"panel", "1+1"}});
  EXPECT_EQ(Kind(world, job), "no_solver");
  world.AddWorker("w", 1);
  const auto given = world.TakeDispatched("w");
  EXPECT_EQ(Kind(world, job), "dispatched");
  world.Start("w", given.at(0));
  EXPECT_EQ(Kind(world, job), "running");
  EXPECT_EQ(Kind(world, job, 3), "queued");
  EXPECT_THAT(world.Ask<ExplainReply>("alice", Explain{job, 3}).text, HasSubstr("behind 2 other tasks"));
  JobSpec wide = CoreWorld::Noop();
  wide.resources.cpus = 8;
  EXPECT_EQ(Kind(world, world.Submit(wide)), "unsatisfiable");
  world.SendFromWorker("w", Drain{});
  EXPECT_EQ(Kind(world, job, 3), "held");
  world.Finish("w", given[0], TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(Kind(world, job), "backoff");
  JobSpec after = CoreWorld::Noop();
  after.after.push_back(job);
  EXPECT_EQ(Kind(world, world.Submit(after)), "waiting");
}

TEST(Explain, TellsWhereAResultCameFrom) {
  CoreWorld world(Patient());
  world.AddWorker("w", 1);
  const JobSpec polar = CoreWorld::Polar("1e6");
  const JobId computed = world.Submit(polar);
  const JobId joined = world.Submit(polar);
  EXPECT_EQ(Kind(world, joined), "joined");
  world.Finish("w", world.TakeDispatched("w").at(0));
  const JobId hit = world.Submit(polar);
  const auto text = [&](JobId job) { return world.Ask<ExplainReply>("alice", Explain{job, 0}).text; };
  EXPECT_THAT(text(computed), HasSubstr("nothing with its key was in the cache"));
  EXPECT_THAT(text(joined), HasSubstr("joined to an equal task"));
  EXPECT_THAT(text(hit), HasSubstr("from the cache"));
}

}  // namespace
}  // namespace icarus::broker::testing
