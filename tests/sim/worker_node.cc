#include "tests/sim/worker_node.h"

#include <algorithm>

#include "common/base/overloaded.h"

namespace icarus::sim {
namespace {

const std::map<std::string, std::string> kSolvers = {{"noop", "1+1"}, {"command", "1+1"}, {"panel", "1+1"}};

TaskError MakeError(TaskErrorKind kind) { return {kind, std::string(TaskErrorName(kind)), {}, {}}; }

}  // namespace

void WorkerNode::Start() {
  ++life_;
  exiting_ = false;
  paused_until_ = 0;
  predecessor_ = std::exchange(instance_, name_ + "-" + std::to_string(life_));
  world_.trace.Add(world_.scheduler.now(), "worker " + instance_ + " starts");
  worker::CoreOptions options;
  options.hello.role = PeerRole::kWorker;
  options.hello.instance = instance_;
  options.hello.host = "host-" + name_;
  options.hello.worker = WorkerHello{};
  options.hello.worker->name = name_;
  options.hello.worker->slots = slots_;
  options.hello.worker->solvers = kSolvers;
  options.hello.worker->replaces = predecessor_;
  options.seed = world_.random.Next();
  options.noop_body = [](std::uint64_t bytes) { return std::make_shared<const std::string>(std::string(bytes, 'x')); };
  core_ = std::make_unique<worker::WorkerCore>(std::move(options));
  numbers_ = SessionNumbers();
  core_->Start(Clock());
  WakeAt(world_.scheduler.now());
}

void WorkerNode::ForgetRunning() {
  for (const auto& [task, token] : noted_) world_.oracle.OnAttemptEnded(task, instance_, false);
  noted_.clear();
  running_.clear();
}

void WorkerNode::Stop() {
  ForgetRunning();
  core_.reset();
  inbox_.clear();
  events_.clear();
  tasks_.clear();
  wake_at_.reset();
  world_.network.Disconnect(Peer());
  ++life_;
}

void WorkerNode::Crash() {
  if (!running()) return;
  world_.trace.Add(world_.scheduler.now(), "worker " + instance_ + " crashes");
  Stop();
}

void WorkerNode::Pause(Time for_ns) {
  paused_until_ = std::max(paused_until_, world_.scheduler.now() + for_ns);
  WakeAt(paused_until_);
}

void WorkerNode::Drain() {
  if (!running()) return;
  events_.push_back([this] { core_->OnDrain(std::nullopt, Clock()); });
  WakeAt(world_.scheduler.now());
}

void WorkerNode::WakeAt(Time time) {
  if (!running()) return;
  time = std::max({time, world_.scheduler.now(), paused_until_});
  if (wake_at_ && *wake_at_ <= time) return;
  wake_at_ = time;
  world_.scheduler.At(time, [this, life = life_, time] {
    if (life != life_ || !wake_at_ || *wake_at_ != time) return;
    wake_at_.reset();
    if (paused_until_ > world_.scheduler.now()) return WakeAt(paused_until_);
    Turn();
  });
}

void WorkerNode::Turn() {
  for (Message& message : std::exchange(inbox_, {})) Take(std::move(message));
  for (auto& event : std::exchange(events_, {})) event();
  core_->OnTick(Clock());
  PerformEffects();
  if (exiting_) {
    world_.trace.Add(world_.scheduler.now(), "worker " + instance_ + " has left");
    instance_.clear();  // in good order: there is nothing that a successor would replace
    Stop();
    return;
  }
  if (const std::string wrong = core_->Broken(); !wrong.empty()) world_.oracle.Fail("worker: " + wrong);
  NoteHeld();
  if (!inbox_.empty() || !events_.empty()) return WakeAt(world_.scheduler.now());
  if (const auto due = core_->NextDeadline()) WakeAt(clock.WhenShows(*due));
}

// What the core holds and would run on: for the check that no task is at two workers.
void WorkerNode::NoteHeld() {
  std::set<std::pair<TaskRef, std::uint64_t>> held;
  for (const auto& [id, attempt] : core_->attempts().all()) {
    if (attempt.stop == worker::StopReason::kDropped || attempt.state == worker::AttemptState::kQueued) continue;
    held.insert({{attempt.group->job, attempt.task.index}, attempt.task.token.value});
  }
  for (const auto& [task, token] : noted_) {
    if (!held.contains({task, token})) world_.oracle.OnAttemptEnded(task, instance_, false);
  }
  for (const auto& [task, token] : held) {
    if (!noted_.contains({task, token})) world_.oracle.OnAttemptStarted(task, instance_);
  }
  noted_ = std::move(held);
}

void WorkerNode::Take(Message message) {
  core_->OnHeard(Clock());
  switch (numbers_.OnArrival(message.stamp)) {
    case SessionNumbers::Arrival::kNext: break;
    case SessionNumbers::Arrival::kOld: return;
    case SessionNumbers::Arrival::kGap: core_->OnHeartbeatReply(HeartbeatReply{false, false}, Clock()); return;
  }
  Handle(message.payload);
}

void WorkerNode::Handle(AnyMessage& payload) {
  if (const auto* welcome = payload.get_if<Welcome>()) {
    broker_instance_ = welcome->broker;
    core_->OnWelcome(*welcome, Clock());
  } else if (const auto* error = payload.get_if<ErrorReply>()) {
    core_->OnHelloRefused(*error, Clock());
  } else if (const auto* reply = payload.get_if<HeartbeatReply>()) {
    core_->OnHeartbeatReply(*reply, Clock());
  } else if (auto* dispatch = payload.get_if<Dispatch>()) {
    for (const DispatchGroup& group : dispatch->groups) {
      for (const DispatchTask& task : group.tasks) {
        world_.oracle.OnDispatched(instance_, group, task);
        tasks_[task.execution] = {group.job, task.index};
      }
    }
    core_->OnDispatch(std::move(*dispatch), Clock());
  } else if (const auto* stop = payload.get_if<StopExecutions>()) {
    core_->OnStopExecutions(*stop, Clock());
  } else if (const auto* ack = payload.get_if<ResultsAck>()) {
    for (const ExecutionId execution : ack->executions) world_.oracle.OnResultAcknowledged(execution);
    core_->OnResultsAck(*ack);
  }
}

void WorkerNode::PerformEffects() {
  for (auto effects = core_->TakeEffects(Clock()); !effects.empty() && !exiting_;
       effects = core_->TakeEffects(Clock())) {
    for (worker::Effect& effect : effects) Perform(effect);
  }
}

void WorkerNode::Perform(worker::Effect& effect) {
  const auto perform = Overloaded{
      [&](worker::SendToBroker& send) { SendToBroker(send); },
      [&](worker::SendHeartbeat&) {
        worker::SendToBroker beat{Heartbeat{Telemetry{}}, {}};
        SendToBroker(beat);
      },
      [&](worker::Connect&) {
        world_.network.Connect(Peer(), PeerRole::kWorker, [this, life = life_](Message message) {
          if (life != life_) return;
          inbox_.push_back(std::move(message));
          WakeAt(world_.scheduler.now());
        });
        broker_instance_ = world_.broker.instance();
        core_->OnConnected(Clock());
      },
      [&](worker::CheckAccess&) {
        if (world_.broker.instance() != broker_instance_) core_->OnDisconnected(Clock());
      },
      [&](worker::StartAttempt& start) { StartAttempt(start); },
      [&](worker::KillAttempt& kill) { KillAttempt(kill.attempt); },
      [&](worker::KillAll&) { running_.clear(); },
      [](worker::LookForSolvers&) {},
      [&](worker::Exit&) { exiting_ = true; },
      [](auto&) {},
  };
  std::visit(perform, effect);
}

void WorkerNode::SendToBroker(worker::SendToBroker& send) {
  if (send.payload.is<Hello>()) numbers_.Begin(numbers_.session() + 1);
  if (const auto* results = send.payload.get_if<Results>()) {
    for (const ExecutionResult& result : results->results) {
      const auto task = tasks_.find(result.execution);
      if (task != tasks_.end()) world_.oracle.OnResultSent(result.execution, task->second, result.outcome);
    }
  }
  world_.network.SendToBroker(Peer(), Message{0, std::move(send.payload), std::move(send.bodies), numbers_.Next()});
}

void WorkerNode::StartAttempt(const worker::StartAttempt& start) {
  Running running{start.group, start.task, {}, world_.scheduler.now(), false, false, 0};
  Time delay = kMillisecond + static_cast<Time>(world_.random.Below(static_cast<std::uint64_t>(longest_run_)));
  if (world_.plan.Has(Fault::kSolverCrash) && !calm_) {
    switch (world_.random.Below(12)) {
      case 0: running.error = MakeError(TaskErrorKind::kSolverCrashed); break;
      case 1: running.error = MakeError(TaskErrorKind::kNoConvergence); break;
      case 2: delay += 1000 * kSecond; break;  // hangs: its time limit ends it
      case 3: running.kills_worker = world_.random.Below(4) == 0; break;
      default: break;
    }
  }
  running_.emplace(start.attempt, std::move(running));
  ArmEnd(start.attempt, delay);
}

void WorkerNode::KillAttempt(worker::AttemptId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  found->second.killed = true;
  ++found->second.ends;
  ArmEnd(id, kMillisecond + static_cast<Time>(world_.random.Below(3 * kSecond)));
}

void WorkerNode::ArmEnd(worker::AttemptId id, Time delay) {
  const std::uint64_t ends = running_.at(id).ends;
  world_.scheduler.After(delay, [this, life = life_, id, ends] {
    const auto found = running_.find(id);
    if (life != life_ || found == running_.end() || found->second.ends != ends) return;
    if (found->second.kills_worker) {
      Crash();
      world_.scheduler.After(kSecond, [this] {
        if (!running()) Start();
      });
      return;
    }
    events_.push_back([this, id] { EndAttempt(id); });
    WakeAt(world_.scheduler.now());
  });
}

void WorkerNode::EndAttempt(worker::AttemptId id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  const Running ended = std::move(found->second);
  running_.erase(found);
  worker::AttemptEnd end;
  end.killed = ended.killed;
  end.error = ended.error;
  end.run_s = static_cast<double>(world_.scheduler.now() - ended.started) / 1e9;
  if (!ended.killed && end.error.kind == TaskErrorKind::kNone) {
    const auto& targets = ended.group->targets;
    const std::string target = targets.empty() ? "" : targets.at(ended.task.target).name;
    end.body = std::make_shared<const std::string>(ExpectedBody(ended.group->analysis, target, ended.task.params));
    world_.oracle.OnAttemptEnded({ended.group->job, ended.task.index}, instance_, true);
    noted_.erase({{ended.group->job, ended.task.index}, ended.task.token.value});
  }
  core_->OnAttemptFinished(id, std::move(end), Clock());
}

}  // namespace icarus::sim
