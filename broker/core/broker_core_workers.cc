// Workers: they come, report, and are lost.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/base/check.h"
#include "common/base/overloaded.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

const char* StateOf(const WorkerState& worker) {
  if (worker.lost) return "lost";
  if (worker.draining) return "draining";
  return worker.gate.held_reason().empty() ? "active" : "held";
}

}  // namespace

void BrokerCore::RegisterWorker(const Caller& caller, const Hello& hello, Welcome& welcome, Now now, Outbox& out) {
  const WorkerHello& said = *hello.worker;
  if (!said.replaces.empty()) {
    if (WorkerState* predecessor = workers_.Find(said.replaces); predecessor != nullptr && !predecessor->lost) {
      LoseWorker(*predecessor, "was replaced by its successor", /*blame=*/true, now, out);
    }
    ReturnOrphans(said.replaces, /*counts=*/true, now, out);
  }
  // Another live instance under the same name is a different process that holds another directory: both stay.
  WorkerState& worker = workers_.Register(caller.instance);
  const bool fresh = worker.instance.empty() || worker.lost;
  worker.instance = caller.instance;
  worker.host = hello.host;
  worker.pid = hello.pid;
  worker.hello = said;
  worker.lost = false;
  worker.last_heard_ms = now.monotonic_ms();
  if (fresh) worker.draining = false;
  LearnSolvers(worker, out);
  AdoptHeld(worker, said.held, welcome, now, out);
  schedule_needed_ = true;
  if (fresh) {
    TellWorker("worker_joined", said.name, "on " + hello.host, now, out);
    out.Log("worker registered", {{"worker", said.name},
                                  {"host", hello.host},
                                  {"slots", std::to_string(said.slots)},
                                  {"pid", std::to_string(hello.pid)}});
  }
}

// What the worker holds and the broker still wants goes on; what the broker thought it held, and it does not, goes back
// to the queue: it never arrived there, or its end was not heard of.
void BrokerCore::AdoptHeld(WorkerState& worker, const std::vector<HeldExecution>& held, Welcome& welcome, Now now,
                           Outbox& out) {
  std::set<ExecutionId> kept;
  for (const HeldExecution& item : held) {
    Execution* execution = executions_.Find(item.execution);
    const bool ours = execution != nullptr && execution->token == item.token &&
                      execution->instance == worker.instance && execution->state != ExecutionState::kQueued;
    if (!ours) {
      welcome.unknown.push_back(item.execution);
      continue;
    }
    kept.insert(item.execution);
    if (execution->state == ExecutionState::kOrphaned) {
      orphans_[worker.instance].erase(item.execution);
      Job& job = *jobs_.at(execution->leader().job);
      execution->state = ExecutionState::kDispatched;
      execution->request_class = job.request_class;
      execution->worker_name = worker.hello.name;
      execution->dispatched_ms = now.monotonic_ms();
      worker.assigned.insert(item.execution);
      const RequestClass& request = classes_.Get(execution->request_class);
      worker.Take(request);
      for (const auto& [name, count] : request.resources.named) cluster_used_[name] += count;
      ++job.in_flight;
      ++running_of_user_[job.record().user];
    }
    if (item.started) MarkStarted(*execution, now, out, item.run_s.value_or(0));
    if (execution->stop_as || execution->asked_back)
      StopExecution(*execution, out);  // the order may have been lost with the connection
  }
  const std::set<ExecutionId> assigned = worker.assigned;
  for (const ExecutionId id : assigned) {
    if (kept.contains(id)) continue;
    if (Execution* execution = executions_.Find(id)) TakeBack(*execution, now, out);
  }
  ReturnOrphans(worker.instance, /*counts=*/false, now, out);
}

// A polite return: no attempt is counted.
void BrokerCore::TakeBack(Execution& execution, Now now, Outbox& out) {
  if (execution.stop_as) {
    ExecutionResult result;
    result.outcome = *execution.stop_as;
    result.finished_at_ms = now.wall_ms;
    const ExecutionId id = execution.id;
    FailSubscribers(execution, result, nullptr, now, out);
    NoteCancelProgress(id, /*cancelled=*/true, out);
    return;
  }
  UncountAttempt(execution);
  RequeueExecution(execution, 0, now, out);
}

void BrokerCore::UncountAttempt(const Execution& execution) {
  for (const TaskRef task : execution.subscribers) {
    TaskExtra& extra = jobs_.at(task.job)->Extra(task.index);
    if (extra.attempt > 0) --extra.attempt;
  }
}

// `counts` false: the worker is there and does not hold them, so they never arrived and were no attempt.
void BrokerCore::ReturnOrphans(const std::string& instance, bool counts, Now now, Outbox& out) {
  const auto it = orphans_.find(instance);
  if (it == orphans_.end()) return;
  const std::set<ExecutionId> ids = it->second;
  for (const ExecutionId id : ids) {
    Execution* execution = executions_.Find(id);
    if (execution == nullptr) continue;
    if (!counts) UncountAttempt(*execution);
    RequeueExecution(*execution, 0, now, out);
  }
  orphans_.erase(instance);
}

// The first identity of a solver that is seen becomes its default, and stays so over restarts.
void BrokerCore::LearnSolvers(const WorkerState& worker, Outbox& out) {
  for (const auto& [solver, identity] : worker.hello.solvers) {
    if (config_.solver_default.contains(solver)) continue;
    config_.solver_default[solver] = identity;
    out.Write(PutSetting{"solvers." + solver + ".default", identity});
    out.Push(SettingLearned{"solvers." + solver + ".default", identity});
  }
  ResolveJobs(out);
}

// Those whose solver has an identity by now.
void BrokerCore::ResolveJobs(Outbox& out) {
  for (const std::string& solver : unresolved_.solvers()) {
    if (!config_.solver_default.contains(solver)) continue;
    for (const JobId id : unresolved_.Take(solver)) {
      const auto found = jobs_.find(id);
      if (found != jobs_.end()) found->second->is_unresolved = false;
      if (found != jobs_.end() && IsUnresolved(*found->second)) Resolve(*found->second, out);
      jobs_.PackIdle();  // nobody up the stack holds a job
    }
  }
}

bool BrokerCore::IsUnresolved(const Job& job) { return job.identity.empty() && !job.finished(); }

void BrokerCore::EndUnresolved(const Job& job) {
  unresolved_.Ended(job.spec().solver, [this](JobId id) {
    const auto slot = jobs_.slots().find(id);
    if (slot == jobs_.slots().end()) return false;
    const JobBrief brief = jobs_.BriefOf(slot->second);
    return !brief.identified && !brief.finished;
  });
}

// The identity that a job gets whose submitter named none; empty: nobody has told it yet.
std::string BrokerCore::DefaultIdentity(const std::string& solver) const {
  const auto known = config_.solver_default.find(solver);
  return known == config_.solver_default.end() ? std::string() : known->second;
}

// Into the queue, or among the unresolved while nobody has named an identity of its solver.
void BrokerCore::Resolve(Job& job, Outbox& out) {
  if (job.identity.empty()) {
    job.identity = DefaultIdentity(job.spec().solver);
    if (job.identity.empty()) {
      if (!std::exchange(job.is_unresolved, true)) unresolved_.Add(job.spec().solver, job.id());
      return;
    }
    out.Write(PutJobStatus{job.StatusRecord()});
  }
  job.request_class = classes_.Intern(job.spec(), job.identity);
  if (job.ReadsCache()) probing_.insert(job.id());
  Enqueue(job);
}

void BrokerCore::HandleWorkerMessage(WorkerState& worker, Message message, Now now, Outbox& out) {
  const std::string instance = worker.instance;
  const std::uint64_t correlation = message.correlation;
  switch (message.payload.type()) {
    case Heartbeat::kType: {
      auto& heartbeat = message.payload.get<Heartbeat>();
      if (heartbeat.telemetry) OnTelemetry(worker, *heartbeat.telemetry, now, out);
      HeartbeatReply reply;
      reply.drain = worker.draining;
      reply.cache_generation = cache_generation_;
      return out.Reply(PeerRole::kWorker, instance, correlation, reply);
    }
    case TaskEvents::kType: return OnTaskEvents(worker, message.payload.get<TaskEvents>(), now, out);
    case Results::kType: return OnResults(worker, message.payload.get<Results>(), message.bodies, now, out);
    case GetValues::kType: return HandleGetValues(worker, message.payload.get<GetValues>(), correlation, now, out);
    case PutValues::kType: return HandlePutValues(worker, message.payload.get<PutValues>(), message.bodies, now, out);
    case Drain::kType:
      worker.draining = message.payload.get<Drain>().draining;
      schedule_needed_ = true;
      return;
    case Goodbye::kType: {
      const std::string reason = message.payload.get<Goodbye>().reason;
      LoseWorker(worker, reason.empty() ? "left" : reason.c_str(), /*blame=*/false, now, out);
      workers_.Erase(instance);
      return out.Push(ForgetPeer{PeerRole::kWorker, instance});
    }
    default:
      return out.Reply(PeerRole::kWorker, instance, correlation,
                       ToErrorReply(ProtocolError("a worker may not send this message")));
  }
}

void BrokerCore::OnTelemetry(WorkerState& worker, const Telemetry& sample, Now now, Outbox& out) {
  worker.telemetry = sample;
  if (!worker.gate.OnSample(sample, config_.host_limits, now.monotonic_ms())) return;
  schedule_needed_ = true;
  const std::string& why = worker.gate.held_reason();
  const bool held = !why.empty();
  TellWorker(held ? "worker_held" : "worker_released", worker.hello.name, why, now, out);
  out.Log(held ? "worker held" : "worker released", {{"worker", worker.hello.name}, {"why", why}}, held);
}

void BrokerCore::MarkStarted(Execution& execution, Now now, Outbox& out, double ran_s) {
  if (execution.state != ExecutionState::kDispatched) return;
  execution.state = ExecutionState::kStarted;
  execution.started_ms = now.monotonic_ms() - static_cast<std::int64_t>(ran_s * 1000);
  for (const TaskRef task : execution.subscribers) {
    Job& job = *jobs_.at(task.job);
    if (job.StateOf(task.index) == TaskState::kPending) job.SetState(task.index, TaskState::kRunning);
    TellTask("task_started", job, task.index, execution.worker_name, "", now, out);
    Touch(job);
  }
}

void BrokerCore::OnTaskEvents(WorkerState& worker, const TaskEvents& events, Now now, Outbox& out) {
  for (const ExecutionId id : events.started) {
    Execution* execution = executions_.Find(id);
    if (execution != nullptr && execution->instance == worker.instance) MarkStarted(*execution, now, out);
  }
  for (const ExecutionProgress& progress : events.progress) {
    Execution* execution = executions_.Find(progress.execution);
    if (execution == nullptr || execution->instance != worker.instance || !execution->at_worker()) continue;
    for (const TaskRef task : execution->subscribers) {
      Job& job = *jobs_.at(task.job);
      job.Extra(task.index).progress = std::clamp(progress.fraction, 0.0, 1.0);
      Touch(job);
    }
  }
  if (events.saved) OnSaved(worker, *events.saved, out);
  for (const HeldExecution& returned : events.returned) {
    Execution* execution = executions_.Find(returned.execution);
    if (execution == nullptr || execution->token != returned.token || execution->instance != worker.instance) continue;
    if (!execution->at_worker()) continue;
    TakeBack(*execution, now, out);
  }
}

// A token that is not the execution's last is refused, as with results.
void BrokerCore::OnSaved(const WorkerState& worker, const std::vector<SavedFiles>& saved, Outbox& out) {
  for (const SavedFiles& one : saved) {
    Execution* execution = executions_.Find(one.execution);
    if (execution == nullptr || execution->token != one.token || execution->instance != worker.instance) continue;
    if (!execution->at_worker()) continue;
    KeepSaved(*execution, one.files, out);
  }
}

void BrokerCore::OnResults(WorkerState& worker, const Results& results, const std::vector<Body>& bodies, Now now,
                           Outbox& out) {
  ResultsAck ack;
  ack.executions.reserve(results.results.size());
  for (const ExecutionResult& result : results.results) {
    ack.executions.push_back(result.execution);
    const bool valid =
        IsFinal(result.outcome) && result.body < static_cast<std::int32_t>(bodies.size()) &&
        (result.body < 0 || bodies[static_cast<std::size_t>(result.body)]->size() <= limits::kMaxResultBytes);
    Execution* execution = executions_.Find(result.execution);
    // A token that is not the execution's last is refused: the task was given to another meanwhile.
    if (execution == nullptr || execution->token != result.token || execution->state == ExecutionState::kQueued) {
      out.Log("stale result refused",
              {{"worker", worker.hello.name}, {"execution", std::to_string(result.execution.value)}});
      continue;
    }
    if (!valid) {
      ExecutionResult failed;
      failed.outcome = TaskState::kFailed;
      failed.finished_at_ms = now.wall_ms;
      failed.error =
          TaskError{TaskErrorKind::kInternal, "the worker sent a result that is over a limit or not final", {}, {}};
      FinishExecution(*execution, failed, nullptr, now, out);
      continue;
    }
    Body body = result.body >= 0 ? bodies[static_cast<std::size_t>(result.body)] : nullptr;
    FinishExecution(*execution, result, std::move(body), now, out);
  }
  out.Reply(PeerRole::kWorker, worker.instance, 0, std::move(ack), /*promise=*/true);
}

void BrokerCore::LoseWorker(WorkerState& worker, const char* why, bool blame, Now now, Outbox& out) {
  if (worker.lost) return;
  worker.lost = true;
  TellWorker(blame ? "worker_lost" : "worker_left", worker.hello.name, why, now, out);
  out.Log("worker lost",
          {{"worker", worker.hello.name}, {"why", why}, {"executions", std::to_string(worker.assigned.size())}}, blame);
  const std::set<ExecutionId> assigned = worker.assigned;
  for (const ExecutionId id : assigned) {
    Execution* execution = executions_.Find(id);
    if (execution == nullptr) continue;
    if (execution->stop_as || execution->asked_back || !blame) {
      TakeBack(*execution, now, out);
    } else {
      EndWorkerDeath(*execution, now, out);
    }
  }
  schedule_needed_ = true;
}

void BrokerCore::HandleWorkers(const Caller& caller, const ListWorkers& request, std::uint64_t correlation, Now now,
                               Outbox& out) {
  if ((!request.drain.empty() || !request.resume.empty()) && !caller.admin) {
    return ReplyError(caller, correlation, OnlyAnAdminMay("drain and resume workers"), out);
  }
  ListWorkersReply reply;
  const std::string& wanted = request.drain.empty() ? request.resume : request.drain;
  const bool any = std::any_of(workers_.all().begin(), workers_.all().end(), [&](const auto& entry) {
    return !entry.second.lost && GlobMatch(wanted, entry.second.hello.name);
  });
  if (!wanted.empty() && !any) {
    return ReplyError(
        caller, correlation,
        Error::Make(ErrorCode::kNotFound, "no worker is named '" + wanted + "'; 'icarus workers' lists those there are",
                    "name"),
        out);
  }
  const auto steer = [&](WorkerState& worker, const std::string& names, bool drains) {
    if (names.empty() || worker.draining == drains || !GlobMatch(names, worker.hello.name)) return;
    worker.draining = drains;
    TellWorker(drains ? "worker_draining" : "worker_resumed", worker.hello.name, "by " + caller.user, now, out);
  };
  for (auto& [instance, worker] : workers_.all()) {
    steer(worker, request.drain, true);
    steer(worker, request.resume, false);
    WorkerInfo info;
    info.name = worker.hello.name;
    info.host = worker.host;
    info.state = StateOf(worker);
    if (!worker.lost) info.held_reason = worker.gate.held_reason();
    info.slots = worker.hello.slots;
    for (const ExecutionId id : worker.assigned) {
      const Execution* execution = executions_.Find(id);
      execution != nullptr && execution->state == ExecutionState::kStarted ? ++info.running : ++info.queued;
    }
    info.solvers = worker.hello.solvers;
    info.unusable_solvers = worker.hello.unusable_solvers;
    info.labels = worker.hello.labels;
    info.pid = worker.pid;
    info.last_seen_s = static_cast<double>(now.monotonic_ms() - worker.last_heard_ms) / 1000.0;
    info.completed = worker.completed;
    info.failed = worker.failed;
    info.memory_bytes = worker.hello.memory_bytes;
    info.telemetry = worker.telemetry;
    reply.workers.push_back(std::move(info));
  }
  schedule_needed_ = schedule_needed_ || !request.resume.empty();
  out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(reply));
}

}  // namespace icarus::broker
