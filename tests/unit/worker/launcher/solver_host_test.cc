// Solver attempts: the host is used again, and its death costs one attempt.
#include <gmock/gmock.h>
#include <signal.h>

#include "common/protocol/result_codec.h"
#include "tests/unit/worker/launcher/launcher_fixture.h"

namespace icarus::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SolverHostTest : public LauncherTest {
 protected:
  static pid_t HostOf(const AttemptFinished& finished) {
    return static_cast<pid_t>(BodyOf(finished).summary.at("pid").number());
  }
};

TEST_F(SolverHostTest, SolverGetsItsInputAndAnEmptyScratch) {
  auto spec = Solver("echo", {{"x", Value(2.5)}});
  spec.target = {"wing.dat", "0 1\n1 0\n"};
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message;
  const ResultBody body = BodyOf(finished);
  ASSERT_EQ(body.rows.size(), 1u);
  const std::vector<Value> expected{
      Value("airfoil_polar"), Value("wing.dat"), Value("0 1\n1 0\n"), Value(2.5), Value(true), Value(true)};
  EXPECT_EQ(body.rows.front(), expected);
  EXPECT_GT(finished.run_s, 0.0);
  EXPECT_GT(finished.max_rss_bytes, 0u);
  EXPECT_THAT(NamesIn(directory_.path()), IsEmpty());
}

TEST_F(SolverHostTest, OneHostServesManyAttempts) {
  const pid_t host = HostOf(Run(Solver("plain")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(HostOf(Run(Solver("plain"))), host);
}

TEST_F(SolverHostTest, AttemptsAtOnceHaveHostsOfTheirOwn) {
  auto looping = Solver("loop");
  looping.grace_ms = 0;
  StartIt(looping);
  const pid_t busy = AwaitStarted(looping.id);
  EXPECT_NE(HostOf(Run(Solver("plain"))), busy);
  ASSERT_TRUE(launcher().Kill(looping.id));
  EXPECT_TRUE(Await(looping.id).killed);
}

TEST_F(SolverHostTest, CrashCostsOneAttempt) {
  const pid_t host = HostOf(Run(Solver("plain")));
  const auto crashed = Run(Solver("abort"));
  EXPECT_EQ(crashed.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(crashed.error.signal, SIGABRT);
  EXPECT_THAT(crashed.error.message, HasSubstr("solver abort ended by signal 6"));
  const auto next = Run(Solver("plain"));
  EXPECT_EQ(next.error.kind, TaskErrorKind::kNone);
  EXPECT_NE(HostOf(next), host);
}

TEST_F(SolverHostTest, ExitInsideASolverIsACrash) {
  const auto finished = Run(Solver("exit"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(finished.error.exit_code, 3);
}

TEST_F(SolverHostTest, ExceptionIsACrashThatTheHostSurvives) {
  const pid_t host = HostOf(Run(Solver("plain")));
  const auto finished = Run(Solver("throw"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_THAT(finished.error.message, HasSubstr("matrix is singular"));
  EXPECT_EQ(HostOf(Run(Solver("plain"))), host);
}

TEST_F(SolverHostTest, EndlessLoopIsEndedByKill) {
  auto spec = Solver("loop");
  spec.grace_ms = 50;
  StartIt(spec);
  const pid_t host = AwaitStarted(spec.id);
  ASSERT_TRUE(launcher().Kill(spec.id));
  const auto finished = Await(spec.id);
  EXPECT_TRUE(finished.killed);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kCancelled);
  EXPECT_FALSE(IsRunning(host));
  EXPECT_EQ(Run(Solver("plain")).error.kind, TaskErrorKind::kNone);
}

TEST_F(SolverHostTest, WhatASolverLeavesBehindIsKilledWithItsHost) {
  const auto finished = Run(Solver("leave"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message;
  EXPECT_FALSE(IsRunning(static_cast<pid_t>(BodyOf(finished).summary.at("left").number())));
  EXPECT_NE(HostOf(Run(Solver("plain"))), HostOf(finished));
}

TEST_F(SolverHostTest, FailureMayCarryABody) {
  const auto finished = Run(Solver("fail"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNoConvergence);
  EXPECT_EQ(finished.error.message, "no angle converged");
  EXPECT_GT(HostOf(finished), 0);
  EXPECT_TRUE(finished.incomplete);
  EXPECT_FALSE(Run(Solver("plain")).incomplete);
}

TEST_F(SolverHostTest, ProgressComesThroughButNotTooOften) {
  const auto spec = Solver("progress");
  Run(spec);
  const auto progress = Progress(spec.id);
  ASSERT_GE(progress.size(), 1u);
  EXPECT_LT(progress.size(), 25u);  // of 50 in a row: ten a second
  EXPECT_EQ(progress[0].fraction, 0.25);
  EXPECT_EQ(progress[0].message, "a quarter");
}

TEST_F(SolverHostTest, FilesOfASolverComeInlineOrByTheOutbox) {
  const auto finished = Run(Solver("files"));
  const ResultBody body = BodyOf(finished);
  ASSERT_EQ(body.files.size(), 2u);
  EXPECT_EQ(body.files[0].content, "small");
  const std::string large(100'000, 'L');
  EXPECT_EQ(body.files[1].name, "deep/large.bin");
  EXPECT_EQ(body.files[1].hash, HashBytes(large));
  EXPECT_EQ(ReadTextFile(directory_ / ("outbox/" + HashBytes(large).Hex())), large);
  EXPECT_EQ(body.stdout_file->hash, HashBytes(std::string(50'000, 'S')));
  EXPECT_FALSE(body.stdout_file->content.has_value());
  EXPECT_EQ(finished.blobs.size(), 2u);
  EXPECT_EQ(body.warnings.size(), 2u);  // the missing one, and the one outside
}

TEST_F(SolverHostTest, ATableBeyondTheLimitTravelsAsAFile) {
  const auto finished = Run(Solver("table"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message;
  EXPECT_LT(finished.body.size(), 1000u);
  ResultBody body = BodyOf(finished);
  ASSERT_TRUE(body.table && body.rows.empty());
  ASSERT_EQ(finished.blobs.size(), 1u);
  EXPECT_EQ(finished.blobs[0].hash, body.table->hash);
  EXPECT_EQ(finished.blobs[0].size, body.table->size);
  ASSERT_TRUE(PutTable(body, ReadTextFile(finished.blobs[0].path)));
  ASSERT_EQ(body.rows.size(), 1'000'000u);
  EXPECT_EQ(body.rows.back(), std::vector<Value>{Value(999'999.5)});
  EXPECT_EQ(body.columns, std::vector<std::string>{"n"});
  EXPECT_FALSE(PutTable(body, "no table"));
  EXPECT_EQ(body.rows.size(), 1'000'000u);
}

TEST_F(SolverHostTest, ResultBeyondTheLimitIsRefused) {
  const auto finished = Run(Solver("huge"));
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kResourceExceeded);
  EXPECT_THAT(finished.error.message, HasSubstr("more than the limit of 8.0 MiB"));
  EXPECT_TRUE(finished.body.empty());
}

TEST_F(SolverHostTest, MemoryLimitHoldsForSolvers) {
  options().memory_sample = Milliseconds(20);
  auto spec = Solver("loop");
  spec.memory_limit_bytes = 1;
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kResourceExceeded);
}

}  // namespace
}  // namespace icarus::worker
