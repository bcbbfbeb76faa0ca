// Upkeep on demand, and what an emergency takes from whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class UpkeepTest : public ::testing::Test {
 protected:
  UpkeepTest() : world_(Config()) {
    world_.AddClient("root", "root", /*admin=*/true);
    world_.AddWorker("w", 4);
  }
  static CoreConfig Config() {
    CoreConfig config;
    config.worker_lost_after_ms = 1'000'000'000;
    config.client_session_ms = 1'000'000'000;
    return config;
  }
  GivenTask Run(int priority) {
    world_.Submit(CoreWorld::Noop("", priority));
    const GivenTask task = world_.TakeDispatched("w").at(0);
    world_.Start("w", task);
    return task;
  }
  // As a worker that was told to end it does.
  void EndStopped(const GivenTask& task) { world_.Finish("w", task, TaskState::kCancelled, TaskErrorKind::kCancelled); }
  void AskForEmergency() { world_.SendFromClient("root", Upkeep{true}); }
  std::optional<UpkeepReply> Answer() {
    world_.Advance(0);  // the memory has been released
    const Message& last = world_.LastMessage("root");
    const auto* reply = last.payload.get_if<UpkeepReply>();
    return reply == nullptr ? std::nullopt : std::optional(*reply);
  }

  CoreWorld world_;
};

TEST_F(UpkeepTest, OnlyAnAdminMay) {
  world_.SendFromClient("alice", Upkeep{true});
  ASSERT_TRUE(world_.LastError("alice"));
  EXPECT_THAT(world_.LastError("alice")->message, HasSubstr("only an admin may"));
  world_.SendFromClient("alice", Upkeep{false});
  EXPECT_THAT(world_.LastError("alice")->message, HasSubstr("only an admin may"));
}

TEST_F(UpkeepTest, AnEmergencyTakesBackWhatIsBelowTheFloorAndAnswersWhenItHasEnded) {
  const GivenTask low = Run(0);
  const GivenTask high = Run(5);
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), ElementsAre(low.execution));
  EXPECT_FALSE(Answer()) << "the worker has not ended it yet";
  EndStopped(low);
  const auto reply = Answer();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->stopped, 1u);
  EXPECT_EQ(reply->requeued, 1u);
  EXPECT_EQ(reply->cache_cleared, 3u);
  EXPECT_EQ(reply->bytes_freed, 4096u);
  EXPECT_EQ(world_.StateOf(low.job, 0), TaskState::kPending);
  EXPECT_EQ(world_.StateOf(high.job, 0), TaskState::kRunning);
  EXPECT_EQ(world_.core().CheckInvariants(), "");
}

TEST_F(UpkeepTest, NothingBelowTheFloorStartsForAMinute) {
  const GivenTask low = Run(0);
  AskForEmergency();
  EndStopped(low);
  const JobId later = world_.Submit(CoreWorld::Noop("", 4));
  EXPECT_THAT(world_.TakeDispatched("w"), IsEmpty());
  const auto why = world_.Ask<ExplainReply>("alice", Explain{later, 0});
  EXPECT_EQ(why.kind, "emergency");
  EXPECT_THAT(why.text, HasSubstr("emergency.priority_floor"));
  world_.Submit(CoreWorld::Noop("", 5));
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(1)) << "at the floor it goes on";
  world_.Advance(59'000);
  EXPECT_THAT(world_.TakeDispatched("w"), IsEmpty());
  ASSERT_TRUE(world_.core().NextDeadlineMs());
  world_.Advance(1'000);
  EXPECT_THAT(world_.TakeDispatched("w"), SizeIs(2));
}

TEST_F(UpkeepTest, WhatWouldLoseTooMuchOrMustNotRunTwiceGoesOn) {
  const GivenTask old = Run(0);
  world_.Advance(30 * 60'000 + 1);
  JobSpec once = CoreWorld::Noop();
  once.no_restart = true;
  world_.Submit(once);
  world_.Start("w", world_.TakeDispatched("w").at(0));
  const GivenTask young = Run(0);
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), ElementsAre(young.execution));
  EndStopped(young);
  EXPECT_EQ(Answer()->stopped, 1u);
  EXPECT_EQ(world_.StateOf(old.job, 0), TaskState::kRunning);
}

TEST_F(UpkeepTest, TheLeastInvestedIsAskedFirstAndWhatHasNotStartedBeforeAll) {
  const GivenTask first = Run(0);
  world_.Advance(1'000);
  const GivenTask second = Run(1);
  world_.Submit(CoreWorld::Noop());
  const GivenTask waiting = world_.TakeDispatched("w").at(0);
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), ElementsAre(waiting.execution, second.execution, first.execution));
  world_.ReturnTask("w", waiting);
  EndStopped(first);
  EndStopped(second);
  const auto reply = Answer();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->stopped, 2u) << "of the three, these ran";
  EXPECT_EQ(reply->requeued, 3u);
}

TEST_F(UpkeepTest, ATaskThatEndsMeanwhileIsNotCounted) {
  const GivenTask low = Run(0);
  AskForEmergency();
  world_.Finish("w", low);
  const auto reply = Answer();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->stopped, 0u);
  EXPECT_EQ(reply->requeued, 0u);
  EXPECT_EQ(world_.StateOf(low.job, 0), TaskState::kCompleted);
}

TEST_F(UpkeepTest, AWorkerThatDoesNotAnswerDoesNotKeepTheAdminWaiting) {
  Run(0);
  AskForEmergency();
  world_.Advance(29'000);
  EXPECT_FALSE(Answer());
  world_.Advance(1'000);
  ASSERT_TRUE(Answer());
  EXPECT_EQ(Answer()->requeued, 0u);
}

TEST_F(UpkeepTest, AnEqualTaskOfHighPriorityKeepsTheSharedOneGoing) {
  JobSpec low = CoreWorld::Polar("1e5");
  JobSpec high = low;
  high.priority = 7;
  world_.Submit(low);
  world_.Start("w", world_.TakeDispatched("w").at(0));
  world_.Submit(high);
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), IsEmpty());
}

TEST_F(UpkeepTest, WhatAJobAboveTheFloorWaitsForGoesOnAlsoAlongAChain) {
  const GivenTask first = Run(0);
  JobSpec middle = CoreWorld::Noop();
  middle.after = {first.job};
  JobSpec last = CoreWorld::Noop("", 9);
  last.after_any = {world_.Submit(middle)};
  const JobId awaited_by = world_.Submit(last);
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), IsEmpty());
  world_.Ask<CancelReply>("alice", Cancel{awaited_by, {}, ""});
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), ElementsAre(first.execution));
}

TEST_F(UpkeepTest, TwoAtOnceCountWhatTheyAskedForOnce) {
  const GivenTask low = Run(0);
  AskForEmergency();
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), ElementsAre(low.execution));
  ASSERT_TRUE(Answer());
  EXPECT_EQ(Answer()->requeued, 0u) << "the second has nothing to ask for";
  EndStopped(low);
  EXPECT_EQ(Answer()->requeued, 1u);
  world_.Advance(60'000);
  EXPECT_EQ(world_.TakeDispatched("w").at(0).attempt, 1u) << "it was asked back: no attempt is counted";
}

TEST_F(UpkeepTest, AWorkerThatIsLostMeanwhileMayRunItStillAndHasKilledNobody) {
  CoreConfig config = Config();
  config.worker_lost_after_ms = 10'000;
  world_.Configure(config);
  const GivenTask low = Run(0);
  AskForEmergency();
  world_.Advance(10'000);
  const auto reply = Answer();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->stopped, 0u);
  EXPECT_EQ(reply->requeued, 1u);
  EXPECT_THAT(world_.Ask<ShowJobReply>("alice", ShowJob{low.job, {}, 0, 1}).items.at(0).history, IsEmpty())
      << "no death of its worker is charged to it";
}

TEST_F(UpkeepTest, AnOrderThatWasLostWithTheConnectionIsRepeated) {
  const GivenTask low = Run(0);
  AskForEmergency();
  world_.TakeStops("w");
  world_.AddWorker("w", 4, {}, {{low.execution, low.token, true, 1.0}});
  EXPECT_THAT(world_.TakeStops("w"), ElementsAre(low.execution));
}

TEST_F(UpkeepTest, WhatRanBeforeTheBrokerRestartedIsNotYoung) {
  const GivenTask low = Run(0);
  world_.Restart();
  world_.AddClient("root", "root", /*admin=*/true);
  world_.AddWorker("w", 4, {}, {{low.execution, low.token, true, 31 * 60.0}});
  AskForEmergency();
  EXPECT_THAT(world_.TakeStops("w"), IsEmpty());
}

TEST_F(UpkeepTest, StoredEntriesGoOnlyWhenTheDiskIsFull) {
  world_.Submit(CoreWorld::Polar("1e5"));
  world_.Finish("w", world_.TakeDispatched("w").at(0));
  AskForEmergency();
  EXPECT_EQ(world_.core().cache().entries(), 1u);
  world_.core().OnStorageState("the disk is full");
  AskForEmergency();
  EXPECT_EQ(world_.core().cache().entries(), 0u);
  EXPECT_EQ(Answer()->cache_cleared, 4u) << "three blocks and one entry";
  world_.Restart();
  EXPECT_EQ(world_.core().cache().entries(), 0u);
}

TEST_F(UpkeepTest, MaintenanceTellsWhatHasGoneSinceTheRoundBefore) {
  CoreConfig config = Config();
  config.cache_default_ttl_ms = 1'000;
  config.retention_ms = 60'000;
  world_.Configure(config);
  world_.Submit(CoreWorld::Polar("1e5,2e5"));
  for (const GivenTask& task : world_.TakeDispatched("w")) world_.Finish("w", task);
  const auto maintain = [this] {
    world_.SendFromClient("root", Upkeep{});
    return Answer().value_or(UpkeepReply{});
  };
  EXPECT_EQ(maintain().expired, 0u);
  world_.Advance(60'000);
  const UpkeepReply reply = maintain();
  EXPECT_EQ(reply.expired, 2u);
  EXPECT_EQ(reply.tasks_cleaned, 2u);
  EXPECT_EQ(reply.bytes_freed, 4096u);
  EXPECT_EQ(reply.cache_cleared, 0u);
  EXPECT_EQ(maintain().expired, 0u);
}

}  // namespace
}  // namespace icarus::broker::testing
