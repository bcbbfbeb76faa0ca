// The connection: greeting, heartbeats, doubt, reconnection, and what it does to results.
#include <gmock/gmock.h>

#include "tests/unit/worker/core/core_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SessionTest : public CoreTest {
 protected:
  void SetUp() override { Make(TestOptions(2)); }

  std::vector<std::uint64_t> HeldInHello() const {
    std::vector<std::uint64_t> held;
    const Hello hello = Sent<Hello>().at(0);
    for (const HeldExecution& execution : hello.worker->held) held.push_back(execution.execution.value);
    return held;
  }
  // Silence for so long that the core connects anew.
  void LoseBroker() {
    After(10'000);
    ASSERT_THAT(Did<worker::Connect>(), SizeIs(1));
  }
};

TEST_F(SessionTest, ConnectsAtOnceThenGreetsThenBeats) {
  EXPECT_THAT(Did<worker::Connect>(), SizeIs(1));
  core_->OnConnected(now_);
  Turn();
  ASSERT_THAT(Sent<Hello>(), SizeIs(1));
  EXPECT_EQ("w0", Sent<Hello>()[0].worker->name);
  EXPECT_THAT(Did<SendHeartbeat>(), IsEmpty());
  core_->OnWelcome(Welcome{}, now_);
  Turn();
  EXPECT_THAT(Did<SendHeartbeat>(), SizeIs(1));
  EXPECT_EQ(now_.monotonic + Milliseconds(1000), core_->NextDeadline());
  After(1000);
  EXPECT_THAT(Did<SendHeartbeat>(), SizeIs(1));
}

TEST_F(SessionTest, TriesAgainWithBackoffAndJitterWhenNobodyIsThere) {
  Instant previous = now_.monotonic;
  for (const std::int64_t full_ms : {200, 400, 800, 1600, 3200, 5000, 5000}) {
    core_->OnConnectFailed(now_);
    Turn();
    const Instant next = *core_->NextDeadline();
    EXPECT_GE(next - previous, Milliseconds(full_ms / 2));
    EXPECT_LE(next - previous, Milliseconds(full_ms));
    now_.monotonic = previous = next;
    Turn();
    EXPECT_THAT(Did<worker::Connect>(), SizeIs(1));
  }
}

TEST_F(SessionTest, NoWelcomeMeansAnotherConnection) {
  core_->OnConnected(now_);
  Turn();
  After(5000);
  EXPECT_THAT(Did<worker::Connect>(), SizeIs(1));
}

TEST_F(SessionTest, SilenceRaisesDoubtThenConnectsAnew) {
  Connect();
  After(2000);
  EXPECT_THAT(Did<CheckAccess>(), SizeIs(1));
  core_->OnHeard(now_);
  After(1500);
  EXPECT_THAT(Did<CheckAccess>(), IsEmpty());
  After(8499);
  EXPECT_THAT(Did<worker::Connect>(), IsEmpty());
  After(1);
  EXPECT_THAT(Did<worker::Connect>(), SizeIs(1));
}

TEST_F(SessionTest, ABrokerThatForgotUsIsGreetedAgain) {
  Connect();
  DispatchCommands({1});
  core_->OnHeartbeatReply(HeartbeatReply{false, false}, now_);
  Turn();
  EXPECT_THAT(HeldInHello(), ElementsAre(1));
  Finish(1);
  EXPECT_THAT(ResultsNow(), IsEmpty()) << "nothing else before Welcome";
  core_->OnWelcome(Welcome{}, now_);
  Turn();
  EXPECT_THAT(ResultsNow(), SizeIs(1));
}

TEST_F(SessionTest, AttemptsRunOnWithoutABrokerAndAreDeclared) {
  Connect();
  DispatchCommands({1, 2, 3});
  LoseBroker();
  EXPECT_THAT(Did<KillAttempt>(), IsEmpty());
  Finish(1);
  EXPECT_THAT(StartedNow(), ElementsAre(3)) << "what is queued goes on too";
  EXPECT_THAT(Did<SendToBroker>(), IsEmpty());
  core_->OnConnected(now_);
  Turn();
  EXPECT_THAT(HeldInHello(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(Sent<Hello>()[0].worker->held[2].started);
  core_->OnWelcome(Welcome{}, now_);
  Turn();
  EXPECT_EQ(ExecutionId(1), ResultsNow().at(0).execution);
  EXPECT_THAT(ToldStarted(), IsEmpty()) << "the greeting said so";
}

TEST_F(SessionTest, TheHelloSaysWhatIsQueuedAndWhatWasSeenOfTheStore) {
  Connect();
  Welcome welcome;
  welcome.lineage = "line";
  welcome.epoch = 3;
  welcome.sequence = 99;
  core_->OnWelcome(welcome, now_);
  DispatchCommands({1, 2, 3});
  LoseBroker();
  core_->OnConnected(now_);
  Turn();
  const Hello hello = Sent<Hello>().at(0);
  EXPECT_EQ("line", hello.lineage);
  EXPECT_EQ(3u, hello.seen_epoch);
  EXPECT_EQ(99u, hello.seen_sequence);
  EXPECT_TRUE(hello.worker->held[0].started);
  EXPECT_FALSE(hello.worker->held[2].started);
}

TEST_F(SessionTest, WhatTheBrokerDoesNotKnowIsDropped) {
  Connect();
  DispatchCommands({1, 2, 3});
  Finish(1);
  LoseBroker();
  core_->OnConnected(now_);
  Turn();
  Welcome welcome;
  welcome.unknown = {ExecutionId(1), ExecutionId(2), ExecutionId(3)};
  core_->OnWelcome(welcome, now_);
  Turn();
  EXPECT_THAT(Did<KillAttempt>(), SizeIs(2));
  EXPECT_THAT(Did<ForgetAttempt>(), SizeIs(1));
  EXPECT_THAT(ResultsNow(), IsEmpty());
  core_->OnHeartbeatReply(HeartbeatReply{false, false}, now_);
  Turn();
  EXPECT_THAT(HeldInHello(), IsEmpty());
  Finish(2, Killed());
  Finish(3, Killed());
  core_->OnWelcome(Welcome{}, now_);
  Turn();
  EXPECT_THAT(ResultsNow(), IsEmpty());
  EXPECT_THAT(Returned(), IsEmpty());
  EXPECT_EQ(0u, core_->held());
}

TEST_F(SessionTest, AResultIsKeptAndSentAgainUntilAcknowledged) {
  Connect();
  DispatchGroups({MakeGroup("noop", {1, 2})});
  EXPECT_THAT(ResultsNow(), SizeIs(2));
  Ack({1});
  After(4999);
  EXPECT_THAT(ResultsNow(), IsEmpty());
  core_->OnHeard(now_);
  After(1);
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_EQ(ExecutionId(2), ResultsNow()[0].execution);
  Ack({2});
  core_->OnHeard(now_);
  After(5000);
  EXPECT_THAT(ResultsNow(), IsEmpty());
}

TEST_F(SessionTest, EveryWelcomeBringsTheResultsAgain) {
  Connect();
  DispatchGroups({MakeGroup("noop", {1, 2})});
  core_->OnHeartbeatReply(HeartbeatReply{false, false}, now_);
  core_->OnWelcome(Welcome{}, now_);
  Turn();
  EXPECT_THAT(ResultsNow(), SizeIs(2));
}

TEST_F(SessionTest, ADeadConnectionIsReplacedSoon) {
  Connect();
  core_->OnDisconnected(now_);
  Turn();
  EXPECT_LE(*core_->NextDeadline() - now_.monotonic, Milliseconds(200));
  After(200);
  EXPECT_THAT(Did<worker::Connect>(), SizeIs(1));
}

TEST_F(SessionTest, ARefusalBeforeTheFirstWelcomeEndsTheWorker) {
  core_->OnConnected(now_);
  core_->OnHelloRefused(ErrorReply{ErrorCode::kProtocol, "speaks version 2 only", {}, {}}, now_);
  Turn();
  ASSERT_THAT(Did<Exit>(), SizeIs(1));
  EXPECT_EQ(70, Did<Exit>()[0].code);
  EXPECT_THAT(Did<Exit>()[0].reason, ::testing::HasSubstr("speaks version 2 only"));
}

TEST_F(SessionTest, ARefusalLaterIsRetried) {
  Connect();
  core_->OnHeartbeatReply(HeartbeatReply{false, false}, now_);
  core_->OnHelloRefused(ErrorReply{ErrorCode::kProtocol, "speaks version 2 only", {}, {}}, now_);
  Turn();
  EXPECT_THAT(Did<Exit>(), IsEmpty());
  After(5000);
  EXPECT_THAT(Did<worker::Connect>(), SizeIs(1));
}

TEST_F(SessionTest, ASolverThatChangedIsLookedForAndNothingOfItIsToldUnderItsOldName) {
  Connect();
  DispatchCommands({1, 2, 3});
  AttemptEnd end;
  end.solver_changed = true;
  Finish(1, end);
  EXPECT_THAT(Did<LookForSolvers>(), SizeIs(1));
  EXPECT_THAT(ResultsNow(), IsEmpty());
  EXPECT_THAT(Returned(), ElementsAre(1));
  core_->OnSolvers({{"xfoil", "6.99+new"}}, {{"other", "is gone"}}, now_);
  Turn();
  ASSERT_THAT(Sent<Hello>(), SizeIs(1));
  EXPECT_EQ(Sent<Hello>()[0].worker->solvers.at("xfoil"), "6.99+new");
  EXPECT_EQ(Sent<Hello>()[0].worker->unusable_solvers.at("other"), "is gone");
  const std::vector<std::uint64_t> held = HeldInHello();
  EXPECT_THAT(held, ::testing::Contains(2)) << "what runs goes on";
  EXPECT_THAT(held, ::testing::Not(::testing::Contains(1)));
}

TEST_F(SessionTest, ADrainByTheBrokerReturnsWhatIsQueuedAndComes) {
  Connect();
  DispatchCommands({1, 2, 3});
  core_->OnHeartbeatReply(HeartbeatReply{true, true}, now_);
  Turn();
  EXPECT_THAT(Returned(), ElementsAre(3));
  DispatchCommands({4});
  EXPECT_THAT(Returned(), ElementsAre(4));
  EXPECT_THAT(Did<KillAttempt>(), IsEmpty());
  core_->OnHeartbeatReply(HeartbeatReply{true, false}, now_);
  Finish(1);
  DispatchCommands({5});
  EXPECT_THAT(StartedNow(), ElementsAre(5));
}

}  // namespace
}  // namespace icarus::worker
