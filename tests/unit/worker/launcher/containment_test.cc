// Whatever an attempt does and whatever is killed: no process is left, and nothing on disk.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "tests/unit/worker/launcher/launcher_fixture.h"
#include "worker/telemetry/process_tree.h"

namespace icarus::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ContainmentTest : public LauncherTest {
 protected:
  // A command that reports "ready" when it and its two children, one of them a session leader, ignore SIGTERM.
  AttemptSpec Stubborn() {
    auto spec = Shell(
        "trap '' TERM; (while :; do sleep 1; done) & setsid sh -c 'while :; do sleep 1; done' & "
        "echo ready; while :; do sleep 1; done");
    spec.stream_output = true;
    return spec;
  }
  void StartReady(const AttemptSpec& spec) {
    StartIt(spec);
    ASSERT_TRUE(AwaitOutput(spec.id, "ready"));
  }
  static pid_t ParentOf(pid_t pid) {
    for (const auto& entry : ReadProcesses()) {
      if (entry.pid == pid) return entry.parent;
    }
    return -1;
  }
  std::vector<std::string> Scratches() const {
    auto names = NamesIn(directory_.path());
    std::erase_if(names, [](const auto& name) { return name.find("scratch") == std::string::npos; });
    return names;
  }
};

TEST_F(ContainmentTest, KillEndsWhatIgnoresSigtermForksAwayAndFloods) {
  options().max_output_bytes = 200'000;
  auto spec = Shell(
      "trap '' TERM; setsid sh -c 'setsid sh -c \"while :; do sleep 1; done\" & while :; do sleep 1; done' & "
      "echo ready; exec yes flood");
  spec.stream_output = true;
  spec.grace_ms = 100;
  StartReady(spec);
  ASSERT_TRUE(launcher().Kill(spec.id));
  const auto finished = Await(spec.id);
  EXPECT_TRUE(finished.killed);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kCancelled);
  EXPECT_EQ(finished.error.signal, SIGKILL);
  EXPECT_EQ(CountMarked(mark_), 0u);
  EXPECT_THAT(Scratches(), IsEmpty());
  EXPECT_LT(BodyOf(finished).stdout_file->size, 201'000u);
  EXPECT_GE(BodyOf(finished).stdout_file->size, 200'000u);
}

TEST_F(ContainmentTest, KillGivesTimeToEndWell) {
  auto spec = Shell("trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.02; done");
  spec.stream_output = true;
  spec.grace_ms = 60'000;
  StartReady(spec);
  ASSERT_TRUE(launcher().Kill(spec.id));
  const auto finished = Await(spec.id);
  EXPECT_TRUE(finished.killed);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kCancelled);
  EXPECT_EQ(finished.error.signal, std::nullopt);
  EXPECT_EQ(StdoutOf(finished), "ready\nsaved\n");
}

TEST_F(ContainmentTest, KillReachesAStoppedProcess) {
  auto spec = Shell("echo ready; kill -STOP $$; sleep 1000");
  spec.stream_output = true;
  spec.grace_ms = 60'000;
  StartReady(spec);
  ASSERT_TRUE(launcher().Kill(spec.id));
  EXPECT_EQ(Await(spec.id).error.signal, SIGTERM);
}

TEST_F(ContainmentTest, KillOfAnAttemptThatHasEndedIsNoError) {
  const auto spec = Command({"true"});
  EXPECT_FALSE(Run(spec).killed);
  EXPECT_TRUE(launcher().Kill(spec.id));
  EXPECT_TRUE(launcher().Kill(4711));
  EXPECT_EQ(Run(Command({"true"})).error.kind, TaskErrorKind::kNone);
}

TEST_F(ContainmentTest, WhatACommandLeavesBehindIsKilled) {
  const auto spec = Shell("setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' & setsid sleep 1000 & exit 0");
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kNone) << finished.error.message;
  EXPECT_EQ(CountMarked(mark_), 0u);
  EXPECT_THAT(Scratches(), IsEmpty());
}

TEST_F(ContainmentTest, DescendantsThatAreAboutToEndMayFinish) {
  options().leftover_grace = Milliseconds(20'000);
  const auto finished = Run(Shell("(sleep 0.1; echo last) & exit 0"));
  EXPECT_EQ(StdoutOf(finished), "last\n");
}

TEST_F(ContainmentTest, HundredsOfDetachedProcessesAreAllFound) {
  auto spec = Shell("i=0; while [ $i -lt 100 ]; do (setsid sleep 1000 &); i=$((i+1)); done; echo ready; sleep 1000");
  spec.stream_output = true;
  spec.grace_ms = 0;
  StartReady(spec);
  EXPECT_GE(CountMarked(mark_), 100u);
  ASSERT_TRUE(launcher().Kill(spec.id));
  Await(spec.id);
  EXPECT_EQ(CountMarked(mark_), 0u);
}

TEST_F(ContainmentTest, ProcessesThatKeepForkingAreCaught) {
  auto spec =
      Shell("f() { setsid sh -c \"$0\" & }; echo ready; while :; do sh -c 'sleep 0.01 & setsid sleep 0.01 &' ; done");
  spec.stream_output = true;
  spec.grace_ms = 0;
  StartReady(spec);
  ASSERT_TRUE(launcher().Kill(spec.id));
  Await(spec.id);
  EXPECT_EQ(CountMarked(mark_), 0u);
}

TEST_F(ContainmentTest, MemoryOfTheWholeTreeIsLimited) {
  auto spec = Command({"perl", "-e", "fork; my $x = 'x'; $x x= 60_000_000; $x .= 'y'; sleep 1000"});
  spec.memory_limit_bytes = 100 << 20;  // one of the two would fit
  const auto finished = Run(spec);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kResourceExceeded);
  EXPECT_THAT(finished.error.message, HasSubstr("of the 100.0 MiB"));
  EXPECT_FALSE(finished.killed);
  EXPECT_GT(finished.max_rss_bytes, 100u << 20);
  EXPECT_EQ(CountMarked(mark_), 0u);
}

TEST_F(ContainmentTest, MemoryWithinTheLimitIsNoMatter) {
  options().memory_sample = Milliseconds(10);
  auto spec = Shell("sleep 0.2");
  spec.memory_limit_bytes = 1 << 30;
  EXPECT_EQ(Run(spec).error.kind, TaskErrorKind::kNone);
}

TEST_F(ContainmentTest, ShutdownLeavesNothing) {
  StartReady(Stubborn());
  StartReady(Stubborn());
  StartIt(Solver("loop"));
  EXPECT_GE(CountMarked(mark_), 6u);
  ASSERT_TRUE(launcher().Shutdown());
  EXPECT_EQ(CountMarked(mark_), 0u);
  EXPECT_THAT(Scratches(), IsEmpty());
  EXPECT_TRUE(NoProcessLeft());
}

TEST_F(ContainmentTest, LauncherKilledLeavesNothing) {
  StartReady(Stubborn());
  const auto solver = Solver("loop");
  StartIt(solver);
  const pid_t host = AwaitStarted(solver.id);
  ::kill(launcher().pid(), SIGKILL);
  EXPECT_TRUE(Eventually([&] { return CountMarked(mark_) == 0 && !IsRunning(host) && Scratches().empty(); }));
  EXPECT_FALSE(TakeEventsUntil([] { return false; }));  // ends with the error that it is gone
  const auto refused = launcher().StartAttempt(Command({"true"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST_F(ContainmentTest, WorkerKilledLeavesNothing) {
  const auto spec = Stubborn();
  const auto solver = Solver("loop");
  const pid_t worker = ::fork();
  if (worker == 0) {
    StartReady(spec);
    StartIt(solver);
    AwaitStarted(solver.id);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(NoProcessLeft());  // the launcher has ended, too
  EXPECT_EQ(CountMarked(mark_), 0u);
  EXPECT_THAT(Scratches(), IsEmpty());
}

TEST_F(ContainmentTest, GuardianKilledCostsOneAttempt) {
  const auto other = Stubborn();
  StartReady(other);
  auto spec = Stubborn();
  spec.environment["MARK"] = mark_ + "-lost";
  StartReady(spec);
  EXPECT_GE(CountMarked(mark_ + "-lost"), 3u);
  ::kill(ParentOf(AwaitStarted(spec.id)), SIGKILL);
  const auto finished = Await(spec.id);
  EXPECT_EQ(finished.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(finished.error.signal, SIGKILL);
  EXPECT_EQ(CountMarked(mark_ + "-lost"), 0u);
  EXPECT_TRUE(IsRunning(AwaitStarted(other.id)));
  EXPECT_EQ(Scratches().size(), 1u);
  EXPECT_EQ(Run(Command({"true"})).error.kind, TaskErrorKind::kNone);
}

TEST_F(ContainmentTest, SignalsToTheWholeGroupAreLeftToTheWorker) {
  const auto spec = Stubborn();
  StartReady(spec);
  const pid_t guardian = ParentOf(AwaitStarted(spec.id));
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ::kill(guardian, number);
    ::kill(launcher().pid(), number);
  }
  EXPECT_EQ(Run(Command({"true"})).error.kind, TaskErrorKind::kNone);
  EXPECT_TRUE(IsRunning(guardian));
}

TEST_F(ContainmentTest, IdleGuardiansAreUsedAgain) {
  for (int i = 0; i < 5; ++i) Run(Command({"true"}));
  EXPECT_EQ(DescendantPids(launcher().pid()).size(), 1u);
}

TEST_F(ContainmentTest, IdleGuardiansAndHostsEndAfterAWhile) {
  options().idle_limit = Milliseconds(50);
  Run(Command({"true"}));
  Run(Solver("plain"));
  EXPECT_TRUE(Eventually([&] { return DescendantPids(launcher().pid()).empty(); }));
  EXPECT_EQ(Run(Command({"true"})).error.kind, TaskErrorKind::kNone);
}

TEST_F(ContainmentTest, HoldsNoDescriptorOfTheWorkerOpen) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  StartReady(Stubborn());
  ::close(ends[1]);
  pollfd item{ends[0], POLLIN, 0};
  ::poll(&item, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  EXPECT_EQ(item.revents, POLLHUP);  // nobody else has the writing end
  ::close(ends[0]);
}

}  // namespace
}  // namespace icarus::worker
