#include "broker/core/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::HasSubstr;

constexpr AdmissionLimits kLimits{100, 10, 60, 1000};

TEST(Admission, ALimitIsNamedAndSaysWhenToComeBack) {
  Admission admission;
  admission.AddJob("anna");
  admission.AddTasks("anna", 90);
  EXPECT_TRUE(admission.Admit(kLimits, "anna", 10, 0));
  const Status full = admission.Admit(kLimits, "anna", 11, 0);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kOverloaded);
  EXPECT_TRUE(full.error().retry_after_s);
  EXPECT_THAT(full.error().message, HasSubstr("limits.pending_tasks=100"));
  const Status never = admission.Admit(kLimits, "anna", 61, 0);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kRefused);
  EXPECT_THAT(never.error().message, HasSubstr("limits.tasks_per_job"));
  admission.EndTasks("anna", 5);
  EXPECT_TRUE(admission.Admit(kLimits, "anna", 15, 0)) << "there is room again";
}

TEST(Admission, WhoFillsTheQueueDoesNotShutOutTheOthers) {
  Admission admission;
  admission.AddJob("greedy");
  admission.AddTasks("greedy", 100);
  EXPECT_FALSE(admission.Admit(kLimits, "greedy", 1, 0));
  EXPECT_TRUE(admission.Admit(kLimits, "bob", 10, 0));
  EXPECT_FALSE(admission.Admit(kLimits, "bob", 11, 0)) << "only a tenth is kept";
  admission.AddJob("bob");
  admission.AddTasks("bob", 10);
  EXPECT_FALSE(admission.Admit(kLimits, "carol", 1, 0)) << "and only once";
}

TEST(Admission, JobsAreCountedToo) {
  Admission admission;
  for (int i = 0; i < 10; ++i) admission.AddJob("greedy");
  EXPECT_THAT(admission.Admit(kLimits, "greedy", 1, 0).error().message, HasSubstr("limits.jobs=10"));
  EXPECT_TRUE(admission.Admit(kLimits, "bob", 1, 0));
  admission.DropJob("greedy");
  EXPECT_TRUE(admission.Admit(kLimits, "greedy", 1, 0));
}

TEST(Admission, AboveTheMemoryLimitOnlyThoseWithLittleComeIn) {
  Admission admission;
  admission.AddJob("greedy");
  admission.AddTasks("greedy", 50);
  EXPECT_TRUE(admission.Admit(kLimits, "greedy", 1, 1000));
  EXPECT_THAT(admission.Admit(kLimits, "greedy", 1, 1001).error().message, HasSubstr("limits.memory_mb"));
  EXPECT_TRUE(admission.Admit(kLimits, "bob", 1, 1001));
  EXPECT_FALSE(admission.Admit(kLimits, "bob", 1, 1101));
}

TEST(Admission, ResultsAndCancelsAreTakenWhenNothingElseIs) {
  CoreConfig config;
  config.admission.tasks = 2;
  CoreWorld world(config);
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop("0:1:1"));
  world.Ask<SubmitReply>("alice", Submit{"more", CoreWorld::Noop()});
  ASSERT_TRUE(world.LastError("alice"));
  EXPECT_EQ(world.LastError("alice")->code, ErrorCode::kOverloaded);
  world.Finish("w", world.TakeDispatched("w").at(0));
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kCompleted);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{job, {}, ""}).cancelled, 0u) << "the second is at the worker";
  world.core().OnMemory(1);
  EXPECT_NE(world.Ask<SubmitReply>("alice", Submit{"more", CoreWorld::Noop()}).job, JobId());
}

TEST(Admission, WhatIsOpenIsKnownAgainAfterARestart) {
  CoreConfig config;
  config.admission.tasks = 2;
  CoreWorld world(config);
  world.Submit(CoreWorld::Noop("0:1:1"));
  world.Restart();
  world.Ask<SubmitReply>("alice", Submit{"more", CoreWorld::Noop()});
  ASSERT_TRUE(world.LastError("alice"));
  EXPECT_EQ(world.LastError("alice")->code, ErrorCode::kOverloaded);
}

TEST(Watching, AJobIsWatchedOnceAndNotTooMany) {
  CoreWorld world;
  const JobId job = world.Submit(CoreWorld::Noop());
  EXPECT_EQ(world.Ask<JobUpdate>("alice", Watch{std::vector<JobId>(10'000, job)}).jobs.size(), 1u);
  std::vector<JobId> many;
  for (std::uint64_t i = 1; i <= limits::kWatchedJobs; ++i) many.push_back(JobId(i));
  world.Ask<JobUpdate>("alice", Watch{many});
  ASSERT_TRUE(world.LastError("alice"));
  EXPECT_THAT(world.LastError("alice")->message, HasSubstr("limits.watched_jobs"));
}

TEST(Admission, WorkersBeyondTheLimitAreTurnedAway) {
  CoreConfig config;
  config.max_workers = 1;
  CoreWorld world(config);
  world.AddWorker("first", 1);
  world.AddWorker("second", 1);
  world.Submit(CoreWorld::Noop("0:1:1"));
  EXPECT_EQ(world.TakeDispatched("first").size(), 1u);
  EXPECT_EQ(world.TakeDispatched("second").size(), 0u);
}

}  // namespace
}  // namespace icarus::broker::testing
