#include "tests/unit/worker/core/core_fixture.h"

namespace icarus::worker {

CoreOptions TestOptions(std::int32_t slots) {
  CoreOptions options;
  options.hello.role = PeerRole::kWorker;
  options.hello.instance = "instance-1";
  options.hello.worker = WorkerHello{};
  options.hello.worker->name = "w0";
  options.hello.worker->slots = slots;
  options.noop_body = [](std::uint64_t bytes) { return std::make_shared<const std::string>(bytes, 'x'); };
  return options;
}

DispatchTask MakeTask(std::uint64_t execution, std::uint64_t token) {
  DispatchTask task;
  task.execution = ExecutionId(execution);
  task.token = Token(token == 0 ? 1000 + execution : token);
  task.index = static_cast<TaskIndex>(execution);
  return task;
}

DispatchGroup MakeGroup(const std::string& analysis, std::vector<std::uint64_t> executions) {
  DispatchGroup group;
  group.job = JobId(1);
  group.analysis = analysis;
  if (analysis == "command") group.command = CommandSpec{};
  for (const std::uint64_t execution : executions) group.tasks.push_back(MakeTask(execution));
  return group;
}

void CoreTest::Make(CoreOptions options) {
  core_ = std::make_unique<WorkerCore>(std::move(options));
  core_->Start(now_);
  Turn();
}

void CoreTest::Connect() {
  core_->OnConnected(now_);
  Turn();
  core_->OnWelcome(Welcome{}, now_);
  Turn();
}

void CoreTest::Turn() {
  core_->OnTick(now_);
  effects_ = core_->TakeEffects(now_);
  for (const StartAttempt& start : Did<StartAttempt>()) last_attempt_[start.task.execution.value] = start.attempt;
  EXPECT_EQ("", core_->Broken());
}

void CoreTest::After(std::int64_t ms) {
  now_.monotonic += Milliseconds(ms);
  now_.wall_ms += ms;
  Turn();
}

void CoreTest::DispatchGroups(std::vector<DispatchGroup> groups) {
  core_->OnDispatch(Dispatch{std::move(groups)}, now_);
  Turn();
}

void CoreTest::DispatchCommands(std::vector<std::uint64_t> executions, std::int64_t timeout_ms, std::int32_t cpus,
                                std::int32_t priority) {
  DispatchGroup group = MakeGroup("command", std::move(executions));
  group.timeout_ms = timeout_ms;
  group.resources.cpus = cpus;
  group.priority = priority;
  DispatchGroups({group});
}

void CoreTest::DispatchSleeps(std::vector<std::uint64_t> executions, double sleep_s, std::int64_t timeout_ms) {
  DispatchGroup group = MakeGroup("noop", std::move(executions));
  group.timeout_ms = timeout_ms;
  for (DispatchTask& task : group.tasks) task.params.emplace("sleep_s", Value(sleep_s));
  DispatchGroups({group});
}

void CoreTest::StopExecution(std::uint64_t execution, bool recall) {
  core_->OnStopExecutions(StopExecutions{{ExecutionId(execution)}, recall}, now_);
  Turn();
}

void CoreTest::Ack(std::vector<std::uint64_t> executions) {
  ResultsAck ack;
  for (const std::uint64_t execution : executions) ack.executions.push_back(ExecutionId(execution));
  core_->OnResultsAck(ack);
  Turn();
}

void CoreTest::Finish(std::uint64_t execution, AttemptEnd end) {
  core_->OnAttemptFinished(AttemptOf(execution), std::move(end), now_);
  Turn();
}

AttemptId CoreTest::AttemptOf(std::uint64_t execution) { return last_attempt_.at(execution); }

AttemptEnd CoreTest::Killed() {
  AttemptEnd end = Failed(TaskErrorKind::kCancelled, "killed");
  end.killed = true;
  return end;
}

AttemptEnd CoreTest::Failed(TaskErrorKind kind, const std::string& message) {
  AttemptEnd end;
  end.error = TaskError{kind, message, {}, {}};
  return end;
}

std::vector<std::uint64_t> CoreTest::StartedNow() const {
  std::vector<std::uint64_t> executions;
  for (const StartAttempt& start : Did<StartAttempt>()) executions.push_back(start.task.execution.value);
  return executions;
}

std::vector<std::uint64_t> CoreTest::ToldStarted() const {
  std::vector<std::uint64_t> executions;
  for (const TaskEvents& events : Sent<TaskEvents>()) {
    for (const ExecutionId execution : events.started) executions.push_back(execution.value);
  }
  return executions;
}

std::vector<std::uint64_t> CoreTest::Returned() const {
  std::vector<std::uint64_t> executions;
  for (const TaskEvents& events : Sent<TaskEvents>()) {
    for (const HeldExecution& held : events.returned) executions.push_back(held.execution.value);
  }
  return executions;
}

std::vector<ExecutionResult> CoreTest::ResultsNow() const {
  std::vector<ExecutionResult> all;
  for (const Results& results : Sent<Results>()) {
    all.insert(all.end(), results.results.begin(), results.results.end());
  }
  return all;
}

}  // namespace icarus::worker
