// Leaving: on a signal, a limit, idleness, or because nothing can be started any more.
#include <gmock/gmock.h>

#include "tests/unit/worker/core/core_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class LeaveTest : public CoreTest {
 protected:
  void SetUp() override {
    Make(TestOptions(2));
    Connect();
  }
  void DrainFor(std::int64_t ms) {
    core_->OnDrain(Instant(Milliseconds(ms)), now_);
    Turn();
  }
};

TEST_F(LeaveTest, AnIdleWorkerLeavesAtOnce) {
  DrainFor(1000);
  EXPECT_THAT(Sent<icarus::Drain>(), SizeIs(1));
  EXPECT_THAT(Sent<Goodbye>(), SizeIs(1));
  ASSERT_THAT(Did<Exit>(), SizeIs(1));
  EXPECT_EQ(0, Did<Exit>()[0].code);
}

TEST_F(LeaveTest, QueuedOnesAreReturnedRunningOnesFinish) {
  DispatchCommands({1, 2, 3});
  DrainFor(1000);
  EXPECT_THAT(Returned(), ElementsAre(3));
  EXPECT_THAT(Did<KillAttempt>(), IsEmpty());
  DispatchCommands({4});
  EXPECT_THAT(Returned(), ElementsAre(4));
  Finish(1);
  Finish(2);
  EXPECT_THAT(Did<Exit>(), IsEmpty()) << "the results are not acknowledged";
  Ack({1, 2});
  EXPECT_THAT(Sent<Goodbye>(), SizeIs(1));
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

TEST_F(LeaveTest, AtTheDeadlineWhatRunsIsKilledAndReturned) {
  DispatchCommands({1});
  DispatchSleeps({2}, 60);
  DrainFor(1000);
  After(1000);
  EXPECT_THAT(Did<KillAttempt>(), SizeIs(1));
  EXPECT_THAT(Returned(), ElementsAre(2));
  EXPECT_TRUE(Sent<TaskEvents>()[0].returned[0].started);
  Finish(1, Killed());
  EXPECT_THAT(Returned(), ElementsAre(1));
  EXPECT_THAT(ResultsNow(), IsEmpty());
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

TEST_F(LeaveTest, AcknowledgementsAreAwaitedForAWhileOnly) {
  DispatchCommands({1});
  DrainFor(10'000);
  Finish(1);
  After(4999);
  EXPECT_THAT(Did<Exit>(), IsEmpty());
  After(1);
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

TEST_F(LeaveTest, TheSecondSignalLeavesAtOnceButKillsFirst) {
  DispatchCommands({1, 2});
  DrainFor(60'000);
  core_->OnDrain(std::nullopt, now_);
  Turn();
  ASSERT_THAT(Did<Exit>(), SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<KillAll>(effects_.front()));
  EXPECT_THAT(Returned(), ElementsAre(1, 2));
  EXPECT_TRUE(std::holds_alternative<Exit>(effects_.back()));
}

TEST_F(LeaveTest, ALauncherThatHangsDoesNotHoldItForEver) {
  DispatchCommands({1});
  DrainFor(1000);
  After(1000);
  After(8000);
  EXPECT_THAT(Did<KillAll>(), SizeIs(1));
  EXPECT_THAT(Returned(), ElementsAre(1));
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

TEST_F(LeaveTest, WithoutABrokerItLeavesToo) {
  DispatchCommands({1});
  core_->OnDisconnected(now_);
  DrainFor(1000);
  After(1000);
  Finish(1, Killed());
  EXPECT_THAT(Did<SendToBroker>(), IsEmpty());
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

TEST_F(LeaveTest, AReturnThatCouldNotBeToldIsToldAfterTheReconnection) {
  DispatchCommands({1, 2, 3});
  core_->OnDisconnected(now_);
  DrainFor(60'000);
  EXPECT_THAT(Returned(), IsEmpty());
  core_->OnConnected(now_);
  core_->OnWelcome(Welcome{}, now_);
  Turn();
  EXPECT_THAT(Returned(), ElementsAre(3));
  EXPECT_THAT(Sent<icarus::Drain>(), SizeIs(1));
}

TEST_F(LeaveTest, ALostLauncherGivesAllBackAndFails) {
  DispatchCommands({1, 2, 3});
  core_->OnLauncherLost(now_);
  Turn();
  EXPECT_THAT(Returned(), UnorderedElementsAre(1, 2, 3));
  ASSERT_THAT(Did<Exit>(), SizeIs(1));
  EXPECT_EQ(70, Did<Exit>()[0].code);
}

TEST_F(LeaveTest, TheTimeLimitDrains) {
  CoreOptions options = TestOptions();
  options.time_limit = Milliseconds(5000);
  options.drain = Milliseconds(2000);
  Make(std::move(options));
  Connect();
  DispatchCommands({1});
  core_->OnHeard(now_);
  After(4999);
  EXPECT_FALSE(core_->leaving());
  After(1);
  EXPECT_TRUE(core_->leaving());
  After(2000);
  EXPECT_THAT(Did<KillAttempt>(), SizeIs(1));
}

TEST_F(LeaveTest, IdlenessCountsFromTheLastAcknowledgement) {
  CoreOptions options = TestOptions();
  options.idle_timeout = Milliseconds(3000);
  Make(std::move(options));
  Connect();
  After(2000);
  DispatchGroups({MakeGroup("noop", {1})});
  After(2000);
  EXPECT_THAT(Did<Exit>(), IsEmpty());
  Ack({1});
  After(2999);
  EXPECT_THAT(Did<Exit>(), IsEmpty());
  After(1);
  EXPECT_THAT(Did<Exit>(), SizeIs(1));
}

}  // namespace
}  // namespace icarus::worker
