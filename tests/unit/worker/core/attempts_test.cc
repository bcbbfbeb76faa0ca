// From dispatch to result: slots, order, timeouts, stops, files, the built-in noop.
#include <gmock/gmock.h>

#include "common/model/limits.h"
#include "tests/unit/worker/core/core_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AttemptsTest : public CoreTest {
 protected:
  void SetUp() override {
    Make(TestOptions(2));
    Connect();
  }
};

TEST_F(AttemptsTest, StartsAsManyAsThereAreSlots) {
  DispatchCommands({1, 2, 3});
  EXPECT_THAT(StartedNow(), ElementsAre(1, 2));
  EXPECT_THAT(ToldStarted(), ElementsAre(1, 2));
  Finish(1);
  EXPECT_THAT(StartedNow(), ElementsAre(3));
  EXPECT_EQ(2, core_->attempts().slots_used());
}

TEST_F(AttemptsTest, HigherPriorityStartsFirstThenArrival) {
  DispatchCommands({1, 2});
  DispatchCommands({3, 4}, 0, 1, 0);
  DispatchCommands({5}, 0, 1, 7);
  Finish(1);
  EXPECT_THAT(StartedNow(), ElementsAre(5));
  Finish(2);
  EXPECT_THAT(StartedNow(), ElementsAre(3));
}

TEST_F(AttemptsTest, AWideTaskWaitsForItsSlotsAndIsNotOvertaken) {
  DispatchCommands({1});
  DispatchCommands({2}, 0, 2);
  DispatchCommands({3});
  EXPECT_THAT(StartedNow(), IsEmpty());
  Finish(1);
  EXPECT_THAT(StartedNow(), ElementsAre(2));
  Finish(2);
  EXPECT_THAT(StartedNow(), ElementsAre(3));
}

TEST_F(AttemptsTest, ATaskWiderThanTheWorkerFailsAndSaysWhy) {
  DispatchCommands({1}, 0, 3);
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_EQ(TaskErrorKind::kResourceExceeded, ResultsNow()[0].error->kind);
  EXPECT_EQ("asks for 3 CPUs; worker w0 has 2", ResultsNow()[0].error->message);
}

TEST_F(AttemptsTest, AResultCarriesWhatTheLauncherSaid) {
  DispatchCommands({1});
  AttemptEnd end = Failed(TaskErrorKind::kNonzeroExit, "exit code 3");
  end.error.exit_code = 3;
  end.body = std::make_shared<const std::string>("body");
  end.run_s = 1.5;
  end.cpu_s = 0.5;
  end.max_rss_bytes = 4096;
  end.incomplete = true;
  Finish(1, end);
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  const ExecutionResult result = ResultsNow()[0];
  EXPECT_EQ(Token(1001), result.token);
  EXPECT_EQ(TaskState::kFailed, result.outcome);
  EXPECT_EQ(3, result.error->exit_code);
  EXPECT_EQ(0, result.body);
  EXPECT_EQ("body", *Did<SendToBroker>().back().bodies.at(0));
  EXPECT_EQ(1.5, result.run_s);
  EXPECT_EQ(0.5, result.cpu_s);
  EXPECT_EQ(4096u, result.max_rss_bytes);
  EXPECT_TRUE(result.incomplete);
  EXPECT_EQ(now_.wall_ms, result.finished_at_ms);
}

TEST_F(AttemptsTest, AResultThatIsTooLargeFailsTheTask) {
  DispatchCommands({1});
  AttemptEnd end;
  end.body = std::make_shared<const std::string>(limits::kMaxResultBytes + 1, 'x');
  Finish(1, end);
  EXPECT_EQ(TaskErrorKind::kResourceExceeded, ResultsNow().at(0).error->kind);
  EXPECT_EQ(-1, ResultsNow().at(0).body);
}

TEST_F(AttemptsTest, ATimeoutKillsAndIsNamed) {
  DispatchCommands({1}, 2000);
  After(1999);
  EXPECT_THAT(Did<KillAttempt>(), IsEmpty());
  After(1);
  ASSERT_THAT(Did<KillAttempt>(), SizeIs(1));
  EXPECT_EQ(AttemptOf(1), Did<KillAttempt>()[0].attempt);
  EXPECT_EQ(1, core_->attempts().slots_used()) << "until its processes are gone";
  Finish(1, Killed());
  EXPECT_EQ(TaskState::kTimedOut, ResultsNow().at(0).outcome);
  EXPECT_EQ("ended after 2 s (--timeout)", ResultsNow().at(0).error->message);
  EXPECT_EQ(TaskErrorKind::kTimedOut, ResultsNow().at(0).error->kind);
}

TEST_F(AttemptsTest, WhatEndedBeforeTheKillEndedAsItSays) {
  DispatchCommands({1}, 2000);
  After(2000);
  Finish(1, AttemptEnd{});
  EXPECT_EQ(TaskState::kCompleted, ResultsNow().at(0).outcome);
}

TEST_F(AttemptsTest, StoppingARunningOneKillsAndEndsCancelled) {
  DispatchCommands({1});
  StopExecution(1);
  EXPECT_THAT(Did<KillAttempt>(), SizeIs(1));
  EXPECT_THAT(ResultsNow(), IsEmpty()) << "an end is told when the processes are gone";
  StopExecution(1);
  EXPECT_THAT(Did<KillAttempt>(), IsEmpty());
  Finish(1, Killed());
  EXPECT_EQ(TaskState::kCancelled, ResultsNow().at(0).outcome);
  EXPECT_EQ(TaskErrorKind::kCancelled, ResultsNow().at(0).error->kind);
}

TEST_F(AttemptsTest, StoppingAQueuedOneReturnsIt) {
  DispatchCommands({1, 2, 3});
  StopExecution(3);
  EXPECT_THAT(Returned(), ElementsAre(3));
  EXPECT_FALSE(Sent<TaskEvents>().at(0).returned[0].started);
  Finish(1);
  EXPECT_THAT(StartedNow(), IsEmpty());
}

TEST_F(AttemptsTest, ARecallTakesOnlyWhatHasNotStarted) {
  DispatchCommands({1, 2, 3});
  StopExecution(1, true);
  EXPECT_THAT(Did<KillAttempt>(), IsEmpty());
  EXPECT_THAT(Returned(), IsEmpty());
  StopExecution(3, true);
  EXPECT_THAT(Returned(), ElementsAre(3));
}

TEST_F(AttemptsTest, StoppingWhatIsNotHereDoesNothing) {
  StopExecution(77);
  EXPECT_THAT(effects_, IsEmpty());
}

TEST_F(AttemptsTest, TheSameDispatchTwiceRunsOnce) {
  DispatchCommands({1});
  DispatchCommands({1});
  EXPECT_THAT(StartedNow(), IsEmpty());
  Finish(1);
  DispatchCommands({1});
  EXPECT_THAT(StartedNow(), IsEmpty());
  EXPECT_EQ(1u, core_->spool().size());
}

TEST_F(AttemptsTest, ANewerTokenReplacesARunningAttempt) {
  DispatchCommands({1});
  const AttemptId older = AttemptOf(1);
  DispatchGroup group = MakeGroup("command", {});
  group.tasks = {MakeTask(1, 5000)};
  DispatchGroups({group});
  ASSERT_THAT(Did<KillAttempt>(), SizeIs(1));
  EXPECT_THAT(StartedNow(), ElementsAre(1));
  core_->OnAttemptFinished(older, AttemptEnd{}, now_);
  Turn();
  EXPECT_THAT(ResultsNow(), IsEmpty()) << "nobody waits for the older token";
  EXPECT_THAT(Did<ForgetAttempt>(), SizeIs(1));
  Finish(1);
  EXPECT_EQ(Token(5000), ResultsNow().at(0).token);
}

TEST_F(AttemptsTest, ANewerTokenReplacesAKeptResult) {
  DispatchCommands({1});
  Finish(1);
  DispatchGroup group = MakeGroup("command", {});
  group.tasks = {MakeTask(1, 5000)};
  DispatchGroups({group});
  EXPECT_THAT(StartedNow(), ElementsAre(1));
  EXPECT_TRUE(core_->spool().empty());
}

TEST_F(AttemptsTest, AnOlderTokenIsIgnored) {
  DispatchCommands({1});
  DispatchGroup group = MakeGroup("command", {});
  group.tasks = {MakeTask(1, 7)};
  DispatchGroups({group});
  EXPECT_THAT(effects_, IsEmpty());
}

TEST_F(AttemptsTest, ProgressIsReportedAtMostFiveTimesASecond) {
  DispatchCommands({1});
  core_->OnAttemptProgress(AttemptOf(1), 0.1, "one");
  Turn();
  ASSERT_THAT(Sent<TaskEvents>(), SizeIs(1));
  EXPECT_EQ(0.1, Sent<TaskEvents>()[0].progress.at(0).fraction);
  core_->OnAttemptProgress(AttemptOf(1), 0.2, "two");
  Turn();
  core_->OnAttemptProgress(AttemptOf(1), 0.3, "three");
  After(100);
  EXPECT_THAT(Sent<TaskEvents>(), IsEmpty());
  EXPECT_EQ(now_.monotonic + Milliseconds(100), core_->NextDeadline());
  After(100);
  ASSERT_THAT(Sent<TaskEvents>(), SizeIs(1));
  EXPECT_EQ("three", Sent<TaskEvents>()[0].progress.at(0).message);
}

class FilesTest : public AttemptsTest {
 protected:
  static ContentHash Hash(std::uint8_t first) {
    ContentHash hash;
    hash.bytes[0] = first;
    return hash;
  }
  void DispatchWithInputs(std::vector<std::uint64_t> executions) {
    DispatchGroup group = MakeGroup("command", std::move(executions));
    group.command->inputs = {FileRef{"small", Hash(1), 2, 0644, "hi"}, FileRef{"large", Hash(2), 99, 0644, {}},
                             FileRef{"copy", Hash(2), 99, 0644, {}}};
    DispatchGroups({group});
  }
  static AttemptEnd WithBlobs() {
    AttemptEnd end;
    end.blobs = {OutputBlob{Hash(8), 10, "/out/8"}, OutputBlob{Hash(9), 10, "/out/9"}};
    return end;
  }
};

TEST_F(FilesTest, InputsAreFetchedOnceBeforeTheStart) {
  DispatchWithInputs({1, 2});
  ASSERT_THAT(Did<FetchBlob>(), SizeIs(1));
  EXPECT_EQ(Hash(2), Did<FetchBlob>()[0].hash);
  EXPECT_EQ(99u, Did<FetchBlob>()[0].size);
  EXPECT_THAT(StartedNow(), IsEmpty());
  core_->OnBlobFetched(Hash(2), std::nullopt, now_);
  Turn();
  EXPECT_THAT(StartedNow(), ElementsAre(1, 2));
}

TEST_F(FilesTest, AnInputThatCannotBeHadFailsTheTask) {
  DispatchWithInputs({1});
  core_->OnBlobFetched(Hash(2), Error::Make(ErrorCode::kNotFound, "no such file"), now_);
  Turn();
  EXPECT_EQ("an input could not be fetched: no such file", ResultsNow().at(0).error->message);
  EXPECT_EQ(0, core_->attempts().slots_used());
}

TEST_F(FilesTest, AStopWhileInputsComeNeedsNoProcess) {
  DispatchWithInputs({1});
  StopExecution(1);
  EXPECT_EQ(TaskState::kCancelled, ResultsNow().at(0).outcome);
  core_->OnBlobFetched(Hash(2), std::nullopt, now_);
  Turn();
  EXPECT_THAT(StartedNow(), IsEmpty());
}

TEST_F(FilesTest, OutputsAreStoredBeforeTheResultIsSent) {
  DispatchCommands({1, 2, 3});
  Finish(1, WithBlobs());
  EXPECT_THAT(Did<UploadBlob>(), SizeIs(2));
  EXPECT_THAT(ResultsNow(), IsEmpty());
  EXPECT_THAT(StartedNow(), ElementsAre(3)) << "the slot is free meanwhile";
  core_->OnBlobUploaded(AttemptOf(1), std::nullopt, now_);
  Turn();
  EXPECT_THAT(ResultsNow(), IsEmpty());
  core_->OnBlobUploaded(AttemptOf(1), std::nullopt, now_);
  Turn();
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_THAT(*ResultsNow()[0].blobs, ElementsAre(Hash(8), Hash(9)));
  Ack({1});
  ASSERT_THAT(Did<ForgetAttempt>(), SizeIs(1));
  EXPECT_EQ(AttemptOf(1), Did<ForgetAttempt>()[0].attempt);
}

TEST_F(FilesTest, AnOutputThatCannotBeStoredFailsTheTask) {
  DispatchCommands({1});
  Finish(1, WithBlobs());
  core_->OnBlobUploaded(AttemptOf(1), Error::Make(ErrorCode::kRefused, "too large"), now_);
  core_->OnBlobUploaded(AttemptOf(1), std::nullopt, now_);
  Turn();
  ASSERT_THAT(ResultsNow(), SizeIs(1));
  EXPECT_EQ("an output could not be stored: too large", ResultsNow()[0].error->message);
  EXPECT_FALSE(ResultsNow()[0].blobs);
}

TEST_F(AttemptsTest, ANoopEndsInTheTurnItCameAndOnlyItsResultIsTold) {
  DispatchGroups({MakeGroup("noop", {1, 2, 3})});
  EXPECT_THAT(ResultsNow(), SizeIs(3));
  EXPECT_EQ(-1, ResultsNow()[0].body);
  EXPECT_THAT(Sent<TaskEvents>(), IsEmpty());
  EXPECT_THAT(StartedNow(), IsEmpty());
}

TEST_F(AttemptsTest, ANoopSleepsAndHoldsItsSlot) {
  DispatchSleeps({1, 2, 3}, 1.5);
  EXPECT_THAT(ToldStarted(), ElementsAre(1, 2));
  After(1499);
  EXPECT_THAT(ResultsNow(), IsEmpty());
  After(1);
  ASSERT_THAT(ResultsNow(), SizeIs(2));
  EXPECT_DOUBLE_EQ(1.5, ResultsNow()[0].run_s);
  EXPECT_THAT(ToldStarted(), ElementsAre(3));
}

TEST_F(AttemptsTest, ANoopTimesOutAndIsCancelled) {
  DispatchSleeps({1}, 60, 2000);
  DispatchSleeps({2}, 60);
  After(2000);
  EXPECT_EQ(TaskState::kTimedOut, ResultsNow().at(0).outcome);
  EXPECT_EQ("ended after 2 s (--timeout)", ResultsNow().at(0).error->message);
  StopExecution(2);
  EXPECT_EQ(TaskState::kCancelled, ResultsNow().at(0).outcome);
}

TEST_F(AttemptsTest, ANoopMakesTheBytesAskedFor) {
  DispatchGroup group = MakeGroup("noop", {1});
  group.tasks[0].params.emplace("bytes", Value(1000.0));
  DispatchGroups({group});
  EXPECT_EQ(1000u, Did<SendToBroker>().back().bodies.at(0)->size());
}

TEST_F(AttemptsTest, ANoopWithAWrongParameterIsInvalid) {
  DispatchSleeps({1}, -1);
  EXPECT_EQ(TaskErrorKind::kInvalidInput, ResultsNow().at(0).error->kind);
}

TEST_F(AttemptsTest, ResultsTravelInBoundedBatches) {
  std::vector<std::uint64_t> executions;
  for (std::uint64_t i = 1; i <= 5000; ++i) executions.push_back(i);
  DispatchGroups({MakeGroup("noop", executions)});
  ASSERT_THAT(Sent<Results>(), SizeIs(2));
  EXPECT_THAT(Sent<Results>()[0].results, SizeIs(4096));
  EXPECT_THAT(Sent<Results>()[1].results, SizeIs(904));
}

}  // namespace
}  // namespace icarus::worker
