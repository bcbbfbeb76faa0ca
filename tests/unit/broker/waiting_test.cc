// Jobs that wait for others, or for their time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

JobSpec After(JobId upstream, bool any = false) {
  JobSpec spec = CoreWorld::Noop("0:1:1");
  (any ? spec.after_any : spec.after).push_back(upstream);
  return spec;
}

TEST(Waiting, AJobStartsWhenTheOtherHasCompleted) {
  CoreWorld world;
  world.AddWorker("w", 4);
  const JobId first = world.Submit(CoreWorld::Noop());
  const JobId second = world.Submit(After(first));
  EXPECT_EQ(world.job(second).state(), TaskState::kWaiting);
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world.Finish("w", given[0]);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(2));
}

TEST(Waiting, ItFailsWithTheOtherAndComesBackWithItsRetry) {
  CoreWorld world;
  world.AddWorker("w", 4);
  const JobId first = world.Submit(CoreWorld::Noop());
  const JobId second = world.Submit(After(first));
  const JobId third = world.Submit(After(second));
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  EXPECT_EQ(world.job(second).state(), TaskState::kFailed);
  EXPECT_EQ(world.job(third).state(), TaskState::kFailed) << "and so on along the chain";
  ASSERT_THAT(world.job(second).failures, SizeIs(1));
  EXPECT_EQ(world.job(second).failures[0].kind, TaskErrorKind::kDependencyFailed);
  EXPECT_THAT(world.job(second).failures[0].message, HasSubstr("job 1"));
  world.Restart();
  world.AddWorker("w", 4);
  EXPECT_EQ(world.Ask<RetryReply>("alice", Retry{first, {}}).retried, 1u);
  EXPECT_EQ(world.job(second).state(), TaskState::kWaiting);
  EXPECT_EQ(world.job(third).state(), TaskState::kWaiting);
  world.Finish("w", world.TakeDispatched("w").at(0));
  for (const auto& task : world.TakeDispatched("w")) world.Finish("w", task);
  for (const auto& task : world.TakeDispatched("w")) world.Finish("w", task);
  EXPECT_EQ(world.job(third).state(), TaskState::kCompleted);
}

TEST(Waiting, AnyEndWillDoForAfterAny) {
  CoreWorld world;
  world.AddWorker("w", 4);
  const JobId first = world.Submit(CoreWorld::Noop());
  world.Submit(After(first, true));
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world.SendFromClient("alice", Cancel{first, {}, ""});
  world.Finish("w", given[0], TaskState::kCancelled);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(2));
}

TEST(Waiting, ItWaitsOnOverARestartAndIsCancelledLikeAnyOther) {
  CoreWorld world;
  const JobId first = world.Submit(CoreWorld::Noop());
  const JobId second = world.Submit(After(first));
  world.Restart();
  EXPECT_EQ(world.job(second).state(), TaskState::kWaiting);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{second, {1}, ""}).cancelled, 1u);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{second, {}, ""}).cancelled, 1u);
  EXPECT_EQ(world.job(second).state(), TaskState::kCancelled);
}

TEST(Waiting, WhatHasEndedAlreadyDecidesAtOnce) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId first = world.Submit(CoreWorld::Noop());
  world.Finish("w", world.TakeDispatched("w").at(0));
  world.Submit(After(first));
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
  world.AddClient("bob", "bob");
  world.Ask<SubmitReply>("bob", Submit{"x", After(first)});
  ASSERT_TRUE(world.LastError("bob"));
  EXPECT_EQ(world.LastError("bob")->field, "after") << "the job of another cannot be waited for";
}

TEST(Waiting, ADelayedStartWaitsForItsTimeAlsoOverARestart) {
  CoreConfig config;
  config.worker_lost_after_ms = 1'000'000'000;
  CoreWorld world(config);
  JobSpec spec = CoreWorld::Noop();
  spec.delay_ms = 10'000;
  spec.queue_timeout_ms = 5'000;
  const JobId job = world.Submit(spec);
  world.Advance(6'000);
  world.Restart();
  world.AddWorker("w", 1);
  EXPECT_EQ(world.job(job).state(), TaskState::kWaiting) << "and does not wait in the queue";
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty());
  world.Advance(4'000);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
}

TEST(Waiting, WhatIsWaitedForIsKeptUntilTheStart) {
  CoreConfig config;
  config.retention_ms = 0;
  config.worker_lost_after_ms = 1'000'000'000;
  CoreWorld world(config);
  world.AddWorker("w", 1);
  const JobId first = world.Submit(CoreWorld::Noop());
  world.Finish("w", world.TakeDispatched("w").at(0));
  JobSpec spec = After(first);
  spec.delay_ms = 300'000;
  world.Submit(spec);
  world.Advance(200'000);
  EXPECT_TRUE(world.core().jobs().contains(first));
  world.Advance(100'000);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
  world.Advance(10'000);
  EXPECT_FALSE(world.core().jobs().contains(first)) << "its time was over long ago";
}

TEST(Waiting, WhatWaitsForALostJobDoesNotRunWithoutIt) {
  CoreWorld world;
  const JobId first = world.Submit(CoreWorld::Noop());
  const JobId second = world.Submit(After(first));
  const JobId any = world.Submit(After(first, true));
  world.LoseJob(first);
  world.Restart();
  EXPECT_EQ(world.job(second).state(), TaskState::kFailed);
  ASSERT_THAT(world.job(second).failures, SizeIs(1));
  EXPECT_EQ(world.job(second).failures[0].kind, TaskErrorKind::kDependencyFailed);
  EXPECT_THAT(world.job(second).failures[0].message, HasSubstr("not kept any more"));
  EXPECT_EQ(world.job(any).state(), TaskState::kPending);
}

TEST(Waiting, ADeadlineEndsWhatStillWaits) {
  CoreWorld world;
  const JobId first = world.Submit(CoreWorld::Noop());
  JobSpec spec = After(first);
  spec.deadline_ms = 3'000;
  const JobId second = world.Submit(spec);
  world.Advance(3'000);
  EXPECT_EQ(world.job(second).state(), TaskState::kTimedOut);
}

}  // namespace
}  // namespace icarus::broker::testing
