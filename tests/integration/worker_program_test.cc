// icarus-worker as a program, against a broker that the test plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/fake_broker.h"
#include "tests/integration/worker_process.h"
#include "tests/support/temp_dir.h"

namespace icarus::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WorkerProgramTest : public ::testing::Test {
 protected:
  // A word that no other process has on its command line, and that sleep(1) takes as a number.
  static std::string LongSleep() { return "987" + std::to_string(::getpid()); }

  TempDir dir_;
  Home home_{dir_.path()};
  FakeBroker broker_{home_};
};

TEST_F(WorkerProgramTest, SaysWhatItIsAndReportsReady) {
  WorkerProcess worker(home_,
                       {"--name", "w0", "--cpus", "3", "--memory", "2G", "--resource", "licence=2", "--label", "a=b"});
  const auto hello = broker_.Welcome();
  ASSERT_TRUE(hello && hello->worker);
  EXPECT_EQ(PeerRole::kWorker, hello->role);
  EXPECT_EQ(worker.pid(), hello->pid);
  EXPECT_EQ("w0", hello->worker->name);
  EXPECT_EQ(3, hello->worker->slots);
  EXPECT_EQ(2'147'483'648, hello->worker->memory_bytes);
  EXPECT_EQ(2, hello->worker->resources.at("licence"));
  EXPECT_EQ("b", hello->worker->labels.at("a"));
  EXPECT_TRUE(hello->worker->solvers.contains("noop"));
  EXPECT_TRUE(hello->worker->solvers.contains("command"));
  EXPECT_TRUE(hello->worker->solvers.contains("panel"));
  EXPECT_EQ("", hello->worker->replaces);
  EXPECT_EQ("ok", worker.ReadyLine());
}

TEST_F(WorkerProgramTest, RunsNoops) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  DispatchGroup group;
  group.job = JobId(1);
  group.analysis = group.solver = "noop";
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    DispatchTask task;
    task.execution = ExecutionId(i);
    task.token = Token(i);
    if (i == 1000) task.params.emplace("bytes", Value(5000.0));
    group.tasks.push_back(std::move(task));
  }
  broker_.Dispatch(std::move(group));
  const auto results = broker_.Next<Results>();
  ASSERT_TRUE(results);
  ASSERT_THAT(results->results, SizeIs(1000)) << "one message a turn";
  EXPECT_EQ(TaskState::kCompleted, results->results[0].outcome);
  EXPECT_EQ(-1, results->results[0].body);
  EXPECT_EQ(5000u, broker_.BodyOf(results->results[999]).rows.at(0).at(0).string().size());
}

TEST_F(WorkerProgramTest, RunsACommandAndBringsItsOutput) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  DispatchGroup group = CommandGroup({"sh", "-c", "echo {n} $ICARUS_TASK $ICARUS_PARAM_N; echo oops >&2; exit 3"});
  group.axes = {"n"};
  group.tasks[0].params.emplace("n", Value(5.0));
  broker_.Dispatch(std::move(group));
  const auto events = broker_.Next<TaskEvents>();
  ASSERT_TRUE(events);
  EXPECT_THAT(events->started, ElementsAre(ExecutionId(1)));
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(Token(101), result->token);
  EXPECT_EQ(TaskState::kFailed, result->outcome);
  EXPECT_EQ(3, result->error->exit_code);
  const ResultBody body = broker_.BodyOf(*result);
  EXPECT_EQ("5 7.2 5\n", body.stdout_file.value().content);
  EXPECT_EQ("oops\n", body.stderr_file.value().content);
}

TEST_F(WorkerProgramTest, ACommandAsksTheBrokerForIntermediateValuesAndPutsSome) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CommandGroup({"/usr/bin/python3", "-c", R"(
import os, socket
link = socket.socket(socket.AF_UNIX)
link.connect(os.environ["ICARUS_VALUES"])
link.sendall(b'{"type":"cache_put","key":1,"value":[2.0]}\n{"type":"cache_get","id":7,"key":{"b":1.0,"a":2}}\n')
print(link.makefile().readline().strip(), os.environ["ICARUS_VALUES"]))"}));
  const auto put = broker_.Next<PutValues>();
  ASSERT_TRUE(put);
  EXPECT_EQ(ExecutionId(1), put->execution);
  EXPECT_THAT(put->keys, ElementsAre("1"));
  EXPECT_EQ("[2.0]", *broker_.bodies().at(0));
  const auto get = broker_.Next<GetValues>();
  ASSERT_TRUE(get);
  EXPECT_EQ(ExecutionId(1), get->execution);
  EXPECT_THAT(get->keys, ElementsAre(R"({"a":2,"b":1})"));
  broker_.Send(GetValuesReply{{0}, {0}}, broker_.correlation(), {std::make_shared<const std::string>("\"kept\"")});
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  const std::string said = broker_.BodyOf(*result).stdout_file.value().content.value();
  EXPECT_THAT(said,
              ::testing::StartsWith(R"({"type":"cache_value","id":7,"value":"kept"} )" + dir_.path() + "/icarus-"));
  EXPECT_FALSE(std::filesystem::exists(said.substr(said.rfind(' ') + 1, said.size() - said.rfind(' ') - 2)));
}

TEST_F(WorkerProgramTest, APlaceholderThatIsNotKnownIsInvalidInput) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  DispatchGroup group = CommandGroup({"echo", "{nope}"});
  group.axes = {"x"};
  group.tasks.at(0).params["x"] = Value(1.0);
  broker_.Dispatch(group);
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskErrorKind::kInvalidInput, result->error->kind);
  EXPECT_THAT(result->error->message, HasSubstr("nope"));
}

TEST_F(WorkerProgramTest, ATimeoutEndsWhatIgnoresSignals) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  DispatchGroup group = CommandGroup({"sh", "-c", "trap '' TERM; while :; do sleep " + LongSleep() + "; done"});
  group.timeout_ms = 1000;
  broker_.Dispatch(std::move(group));
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskState::kTimedOut, result->outcome);
  EXPECT_EQ("ended after 1 s (--timeout)", result->error->message);
  EXPECT_THAT(ProcessesWith(LongSleep()), IsEmpty());
}

TEST_F(WorkerProgramTest, AStopEndsARunningCommand) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CommandGroup({"sleep", LongSleep()}));
  ASSERT_TRUE(Eventually([] { return !ProcessesWith(LongSleep()).empty(); }));
  broker_.Send(StopExecutions{{ExecutionId(1)}, false});
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskState::kCancelled, result->outcome);
  EXPECT_THAT(ProcessesWith(LongSleep()), IsEmpty());
}

TEST_F(WorkerProgramTest, KilledItLeavesNoProcessAndItsSuccessorSaysWhomItReplaces) {
  std::string instance;
  {
    WorkerProcess worker(home_, {"--name", "w0"});
    instance = broker_.Welcome().value_or(Hello{}).instance;
    broker_.Dispatch(CommandGroup({"sh", "-c", "setsid sleep " + LongSleep() + " & sleep " + LongSleep()}));
    ASSERT_TRUE(Eventually([] { return ProcessesWith(LongSleep()).size() >= 3; }));
    worker.Signal(SIGKILL);
    EXPECT_EQ(128 + SIGKILL, worker.Wait());
  }
  EXPECT_TRUE(Eventually([] { return ProcessesWith(LongSleep()).empty(); }));
  EXPECT_TRUE(Eventually([&] { return std::filesystem::is_empty(home_.worker_dir("w0") + "/scratch"); }));
  WorkerProcess successor(home_, {"--name", "w0"});
  const auto hello = broker_.Welcome();
  ASSERT_TRUE(hello);
  EXPECT_EQ(instance, hello->worker->replaces);
  EXPECT_NE(instance, hello->instance);
}

TEST_F(WorkerProgramTest, ADrainLetsFinishWhatRuns) {
  WorkerProcess worker(home_, {"--name", "w0", "--cpus", "1"});
  ASSERT_TRUE(broker_.Welcome());
  // The command waits for a file, so that the drain begins while it runs.
  const std::string gate = dir_ / "gate";
  broker_.Dispatch(CommandGroup({"sh", "-c", "while [ ! -e " + gate + " ]; do sleep 0.05; done"}, 1));
  broker_.Dispatch(CommandGroup({"true"}, 2));
  ASSERT_TRUE(broker_.Next<TaskEvents>());
  worker.Terminate(60'000);
  ASSERT_TRUE(broker_.Next<Drain>());
  const auto returned = broker_.Next<TaskEvents>();
  ASSERT_TRUE(returned);
  ASSERT_THAT(returned->returned, SizeIs(1));
  EXPECT_EQ(ExecutionId(2), returned->returned[0].execution);
  ASSERT_TRUE(WriteFileAtomically(gate, "", 0600));
  const auto result = broker_.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskState::kCompleted, result->outcome);
  EXPECT_TRUE(broker_.Next<Goodbye>());
  EXPECT_EQ(0, worker.Wait());
}

TEST_F(WorkerProgramTest, ADrainThatIsOverGivesBackWhatStillRuns) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CommandGroup({"sleep", LongSleep()}));
  ASSERT_TRUE(broker_.Next<TaskEvents>());
  worker.Terminate(100);
  const auto events = broker_.Next<TaskEvents>();
  ASSERT_TRUE(events);
  ASSERT_THAT(events->returned, SizeIs(1));
  EXPECT_EQ(Token(101), events->returned[0].token);
  EXPECT_EQ(0, worker.Wait());
  EXPECT_THAT(ProcessesWith(LongSleep()), IsEmpty());
}

TEST_F(WorkerProgramTest, TheSecondSignalEndsItAtOnce) {
  WorkerProcess worker(home_, {"--name", "w0", "--drain", "1h"});
  ASSERT_TRUE(broker_.Welcome());
  broker_.Dispatch(CommandGroup({"sleep", LongSleep()}));
  ASSERT_TRUE(broker_.Next<TaskEvents>());
  worker.Signal(SIGTERM);
  ASSERT_TRUE(broker_.Next<Drain>());
  worker.Signal(SIGTERM);
  EXPECT_EQ(0, worker.Wait());
  EXPECT_THAT(ProcessesWith(LongSleep()), IsEmpty());
}

TEST_F(WorkerProgramTest, ASecondOneOfTheSameNameIsRefused) {
  WorkerProcess worker(home_, {"--name", "w0"});
  ASSERT_TRUE(broker_.Welcome());
  WorkerProcess second(home_, {"--name", "w0"});
  EXPECT_THAT(second.ReadyLine(), HasSubstr("'w0' runs already (process " + std::to_string(worker.pid()) + ")"));
  EXPECT_EQ(4, second.Wait());
}

TEST_F(WorkerProgramTest, WrongOptionsAreUsageErrors) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"--cpus", "0"}, {"--nonsense"}, {"--memory", "lots"}, {"--label", "x"}, {"--name", "a/b"}}) {
    EXPECT_EQ(2, WorkerProcess(home_, wrong).Wait()) << wrong[0];
  }
}

TEST(WorkerReconnection, ItRunsOnWithoutABrokerAndTellsTheNextOne) {
  const TempDir dir;
  const Home home{dir.path()};
  auto first = std::make_unique<FakeBroker>(home);
  WorkerProcess worker(home, {"--name", "w0"});
  ASSERT_TRUE(first->Welcome());
  const std::string gate = dir / "gate";
  first->Dispatch(CommandGroup({"sh", "-c", "while [ ! -e " + gate + " ]; do sleep 0.05; done; echo done"}));
  ASSERT_TRUE(first->Next<TaskEvents>());
  first.reset();
  FakeBroker second(home);
  const auto hello = second.Welcome();
  ASSERT_TRUE(hello);
  ASSERT_THAT(hello->worker->held, SizeIs(1));
  EXPECT_EQ(ExecutionId(1), hello->worker->held[0].execution);
  EXPECT_TRUE(hello->worker->held[0].started);
  ASSERT_TRUE(WriteFileAtomically(gate, "", 0600));
  const auto result = second.Result();
  ASSERT_TRUE(result);
  EXPECT_EQ(TaskState::kCompleted, result->outcome);
  EXPECT_EQ("done\n", second.BodyOf(*result).stdout_file.value().content);
}

TEST(WorkerReconnection, AWorkerMayStartBeforeItsBroker) {
  const TempDir dir;
  const Home home{dir.path()};
  WorkerProcess worker(home, {"--name", "w0"});
  ASSERT_TRUE(Eventually([&] { return PathExists(home.worker_dir("w0") + "/instance"); }));
  FakeBroker broker(home);
  EXPECT_TRUE(broker.Welcome());
  EXPECT_EQ("ok", worker.ReadyLine());
}

}  // namespace
}  // namespace icarus::testing
