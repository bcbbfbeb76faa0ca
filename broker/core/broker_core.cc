// Construction, recovery, sessions and the turn.
#include "broker/core/broker_core.h"

#include <algorithm>

#include "common/analysis/cache_key.h"
#include "common/base/check.h"

namespace icarus::broker {

BrokerCore::BrokerCore(const Catalogue& catalogue, CoreConfig config, BrokerIdentity identity, std::uint64_t seed)
    : catalogue_(catalogue), config_(std::move(config)), identity_(std::move(identity)), random_(seed) {
  executions_.SetEpoch(identity_.epoch);
  cache_.SetLimits(config_.cache_max_bytes, config_.cache_max_entries);
}

Status BrokerCore::RecoverJob(JobRecord record, Now now) {
  const Manifest* manifest = catalogue_.Find(record.spec.analysis);
  if (manifest == nullptr) {
    return Error::Make(ErrorCode::kCorruption, "job " + std::to_string(record.job.value) +
                                                   " is stored with the analysis '" + record.spec.analysis +
                                                   "', which this release does not have");
  }
  ICARUS_ASSIGN(const std::uint32_t total, record.spec.sweep.Count());
  const JobId id = record.job;
  last_job_ = std::max(last_job_, id.value);
  by_submit_id_[{record.user, record.id}] = id;
  // Age counts on across a restart; a wall clock that was set back makes nothing younger than now.
  const std::int64_t age_ms = std::max<std::int64_t>(0, now.wall_ms - record.submitted_at_ms);
  auto job = std::make_unique<Job>(std::move(record), *manifest, total);
  job->enqueued_ms = now.monotonic_ms() - age_ms;
  job->cacheable = IsCacheable(*manifest, job->spec());
  job->identity = job->spec().solver_identity;
  jobs_[id] = std::move(job);
  return {};
}

void BrokerCore::RecoverStatus(const JobStatusRecord& status) {
  const auto it = jobs_.find(status.job);
  if (it != jobs_.end()) it->second->RestoreStatus(status);
}

void BrokerCore::RecoverTask(TaskRef task, const TaskRecord& record) {
  const auto it = jobs_.find(task.job);
  if (it == jobs_.end() || it->second->tasks_released() || task.index >= it->second->total()) return;
  Job& job = *it->second;
  job.RestoreState(task.index, record.state);
  if (IsFinal(record.state)) {
    if (record.state == TaskState::kCompleted) {
      if (record.via == ResultVia::kCache) ++job.cached;
      if (record.via == ResultVia::kJoined) ++job.joined;
      if (record.incomplete) ++job.incomplete;
    } else if (record.error) {
      CountFailure(job, task.index, *record.error);
    }
    return;
  }
  TaskExtra& extra = job.Extra(task.index);
  extra.attempt = record.attempt;
  extra.failures = record.failures;
  extra.worker_deaths = record.worker_deaths;
  extra.generation = record.generation;
  if (record.history) extra.history = *record.history;
}

void BrokerCore::RecoverDispatch(const DispatchRecord& record) {
  std::uint32_t open = 0;
  for (const DispatchedTask& task : record.tasks) {
    const auto it = jobs_.find(task.job);
    if (it == jobs_.end() || it->second->tasks_released() || task.index >= it->second->total()) continue;
    Job& job = *it->second;
    // A task that was handed out again before the others of its first record had ended is in both: the last one counts.
    const TaskExtra* known = job.FindExtra(task.index);
    if (known != nullptr && known->execution) ForgetOlderDispatch(job, task);
    if (!job.IsReady(task.index)) continue;
    const TaskRef ref{task.job, task.index};
    Execution& execution = executions_.Restore(task.execution, task.token, ref);
    execution.instance = record.worker_instance;
    execution.worker_name = record.worker_name;
    execution.dispatch_record = record.id;
    execution.cpus = job.spec().resources.cpus;
    if (job.cacheable) {
      if (auto key = KeyOf(job, task.index)) executions_.SetKey(execution, *key);
    }
    job.SetBusy(task.index, true);
    TaskExtra& extra = job.Extra(task.index);
    extra.execution = task.execution;
    ++extra.attempt;
    orphans_[record.worker_instance].insert(task.execution);
    ++open;
  }
  // A record with nothing open is deleted when recovery is finished.
  executions_.AddToRecord(record.id, open);
  if (open == 0) stale_records_.push_back(record.id);
}

void BrokerCore::ForgetOlderDispatch(Job& job, const DispatchedTask& task) {
  TaskExtra& extra = job.Extra(task.index);
  const Execution& older = *executions_.Find(extra.execution);
  if (older.token >= task.token) return;
  orphans_[older.instance].erase(older.id);
  if (orphans_[older.instance].empty()) orphans_.erase(older.instance);
  if (executions_.DropFromRecord(older.dispatch_record)) stale_records_.push_back(older.dispatch_record);
  executions_.Erase(older.id);
  extra.execution = ExecutionId();
  if (extra.attempt > 0) --extra.attempt;
  job.SetBusy(task.index, false);
}

void BrokerCore::FinishRecovery(Now now, Outbox& out) {
  for (const std::uint64_t record : stale_records_) out.Write(DeleteDispatch{record});
  stale_records_.clear();
  if (!orphans_.empty()) orphans_until_ms_ = now.monotonic_ms() + config_.reattach_grace_ms;
  const auto removed = cache_.FinishLoading();
  if (!removed.empty()) out.Push(RemoveCache{removed});
  for (auto& [id, job] : jobs_) {
    if (job->tasks_released()) continue;
    if (job->finished()) {
      FinishJob(*job, now, out);
      continue;
    }
    open_tasks_ += job->Count(TaskState::kPending) + job->Count(TaskState::kRunning) + job->Count(TaskState::kWaiting);
    const JobSpec& spec = job->spec();
    if (spec.queue_timeout_ms > 0) queue_timeouts_.insert({job->enqueued_ms + spec.queue_timeout_ms, id});
    if (spec.deadline_ms > 0) job_deadlines_.insert({job->enqueued_ms + spec.deadline_ms, id});
    unresolved_.insert(id);
  }
  ResolveJobs(out);
}

void BrokerCore::OnHello(const Caller& caller, const Hello& hello, std::uint64_t correlation, Now now, Outbox& out) {
  const std::uint32_t version = std::min(hello.max_version, kProtocolVersionMax);
  if (hello.instance.empty() || hello.instance.size() > limits::kMaxNameBytes ||
      version < std::max(hello.min_version, kProtocolVersionMin)) {
    const Error error =
        hello.instance.empty() || hello.instance.size() > limits::kMaxNameBytes
            ? ProtocolError("a hello needs an instance id", "instance")
            : ProtocolError("no protocol version is common: the peer speaks " + std::to_string(hello.min_version) +
                            " to " + std::to_string(hello.max_version) + ", the broker " +
                            std::to_string(kProtocolVersionMin) + " to " + std::to_string(kProtocolVersionMax));
    out.Reply(hello.role, caller.instance, correlation, ToErrorReply(error));
    return;
  }
  Welcome welcome;
  welcome.version = version;
  welcome.broker = identity_.instance;
  welcome.program = identity_.program;
  welcome.lineage = identity_.lineage;
  welcome.epoch = identity_.epoch;
  welcome.user = caller.user;
  welcome.wall_ms = now.wall_ms;
  if (hello.role == PeerRole::kWorker) {
    if (!hello.worker || hello.worker->slots < 1 || hello.worker->slots > limits::kMaxCpus ||
        hello.worker->name.empty()) {
      const Error error = ProtocolError(
          "a worker's hello needs its name and 1 to " + std::to_string(limits::kMaxCpus) + " slots", "worker");
      out.Reply(hello.role, caller.instance, correlation, ToErrorReply(error));
      return;
    }
    RegisterWorker(caller, hello, welcome, now, out);
  } else {
    ClientSession& session = clients_[caller.instance];
    session.caller = caller;
    session.last_heard_ms = now.monotonic_ms();
  }
  out.Reply(hello.role, caller.instance, correlation, std::move(welcome));
}

bool BrokerCore::OnMessage(const Caller& caller, Message message, Now now, Outbox& out) {
  if (WorkerState* worker = workers_.Find(caller.instance); worker != nullptr && !worker->lost) {
    worker->last_heard_ms = now.monotonic_ms();
    HandleWorkerMessage(*worker, std::move(message), now, out);
    return true;
  }
  const auto client = clients_.find(caller.instance);
  if (client == clients_.end()) return false;
  client->second.last_heard_ms = now.monotonic_ms();
  HandleClientMessage(client->second, std::move(message), now, out);
  return true;
}

void BrokerCore::OnConfigChanged(CoreConfig config, Now, Outbox& out) {
  config_ = std::move(config);
  cache_.SetLimits(config_.cache_max_bytes, config_.cache_max_entries);
  const auto removed = cache_.Shrink();
  if (!removed.empty()) out.Push(RemoveCache{removed});
  ResolveJobs(out);
  schedule_needed_ = true;
}

// A turn that comes late by more than this found the process stopped or starved: nobody else is to blame for the
// silence.
constexpr std::int64_t kLateTurnMs = 2'000;

void BrokerCore::ForgiveLateTurn(Now now) {
  if (!turn_due_ms_ || now.monotonic_ms() - *turn_due_ms_ <= kLateTurnMs) return;
  const std::int64_t gap = now.monotonic_ms() - last_turn_ms_;
  for (auto& [instance, worker] : workers_.all()) {
    worker.last_heard_ms = std::min(worker.last_heard_ms + gap, now.monotonic_ms());
  }
  if (orphans_until_ms_) *orphans_until_ms_ += gap;
}

void BrokerCore::EndTurn(Now now, Outbox& out) {
  more_work_ = false;
  ForgiveLateTurn(now);
  FireDeadlines(now, out);
  ProbeAhead(now, out);
  if (schedule_needed_) Schedule(now, out);
  PushUpdates(now, out);
  turn_due_ms_ = NextDeadlineMs();
  last_turn_ms_ = now.monotonic_ms();
}

std::optional<std::int64_t> BrokerCore::NextDeadlineMs() const {
  std::optional<std::int64_t> next;
  const auto consider = [&next](std::int64_t due) {
    if (!next || due < *next) next = due;
  };
  for (const auto& [instance, worker] : workers_.all()) {
    if (!worker.lost) consider(worker.last_heard_ms + config_.worker_lost_after_ms);
  }
  if (!backoffs_.empty()) consider(backoffs_.begin()->first);
  if (!queue_timeouts_.empty()) consider(queue_timeouts_.begin()->first);
  if (!job_deadlines_.empty()) consider(job_deadlines_.begin()->first);
  if (orphans_until_ms_) consider(*orphans_until_ms_);
  if (watch_deadline_ms_ >= 0) consider(watch_deadline_ms_);
  for (const auto& [instance, session] : clients_) consider(session.last_heard_ms + config_.client_session_ms);
  return next;
}

}  // namespace icarus::broker
