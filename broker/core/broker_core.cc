// Construction, recovery, sessions and the turn.
#include "broker/core/broker_core.h"

#include <algorithm>

#include "common/analysis/cache_key.h"
#include "common/base/check.h"

namespace icarus::broker {

BrokerCore::BrokerCore(const Catalogue& catalogue, CoreConfig config, BrokerIdentity identity, std::uint64_t seed)
    : catalogue_(catalogue),
      config_(std::move(config)),
      identity_(std::move(identity)),
      random_(seed),
      jobs_(catalogue, config_.unpacked_jobs) {
  executions_.SetEpoch(identity_.epoch);
  SetCacheLimits();
}

Status BrokerCore::RecoverJob(JobRecord record) {
  const Manifest* manifest = catalogue_.Find(record.spec.analysis);
  if (manifest == nullptr) {
    return Error::Make(ErrorCode::kCorruption, "job " + std::to_string(record.job.value) +
                                                   " is stored with the analysis '" + record.spec.analysis +
                                                   "', which this release does not have");
  }
  ICARUS_ASSIGN(const std::uint32_t total, record.spec.sweep.Count());
  const JobId id = record.job;
  last_job_ = std::max(last_job_, id.value);
  by_submit_id_[SubmitKey::Of(record.user, record.id)] = id;
  jobs_.PackIdle();  // the one before has been read whole
  auto job = std::make_unique<Job>(std::move(record), *manifest, total);
  job->enqueued_ms = job->record().enqueued_ms;
  job->cacheable = IsCacheable(*manifest, job->spec());
  job->identity = job->spec().solver_identity;
  if (!job->identity.empty()) job->request_class = classes_.Intern(job->spec(), job->identity);
  NoteDependencies(*job);
  jobs_.Add(std::move(job));
  return {};
}

void BrokerCore::RecoverStatus(const JobStatusRecord& status) {
  const auto it = jobs_.find(status.job);
  if (it == jobs_.end()) return;
  Job& job = *it->second;
  job.RestoreStatus(status);
  if (!job.identity.empty()) job.request_class = classes_.Intern(job.spec(), job.identity);
}

void BrokerCore::RecoverTask(TaskRef task, const TaskRecord& record) {
  const auto it = jobs_.find(task.job);
  if (it == jobs_.end() || it->second->tasks_released() || task.index >= it->second->total()) return;
  Job& job = *it->second;
  job.RestoreState(task.index, record.state);
  if (IsFinal(record.state)) {
    if (record.state == TaskState::kCompleted) {
      if (IsFromCache(record.via)) ++job.cached;
      if (record.via == ResultVia::kJoined) ++job.joined;
      if (record.incomplete) ++job.incomplete;
    } else if (record.error) {
      CountFailure(job, task.index, *record.error);
    }
    return;
  }
  if (job.closed()) return;  // it has ended with the rest of its job
  job.Return(task.index);
  TaskExtra& extra = job.Extra(task.index);
  extra.attempt = record.attempt;
  extra.failures = record.failures;
  extra.worker_deaths = record.worker_deaths;
  extra.generation = record.generation;
  extra.ended_token = record.ended_token;
  extra.not_before_ms = record.not_before_ms;
  if (record.history) extra.history = *record.history;
  extra.kept = record.kept;
}

void BrokerCore::RecoverDispatch(const DispatchRecord& record) {
  std::uint32_t open = 0;
  for (const DispatchedTask& task : record.tasks) {
    if (RecoverDispatchedTask(record, task)) ++open;
  }
  // A record with nothing open is deleted when recovery is finished.
  executions_.AddToRecord(record.id, open);
  if (open == 0) stale_records_.push_back(record.id);
}

// Records stay until all their tasks have ended, and come by age: what has come back meanwhile, and was handed out
// again, is where the last record says. True when this one counts.
bool BrokerCore::RecoverDispatchedTask(const DispatchRecord& record, const DispatchedTask& task) {
  const auto found = jobs_.find(task.job);
  if (found == jobs_.end() || found->second->tasks_released() || task.index >= found->second->total()) return false;
  Job& job = *found->second;
  const TaskExtra* known = job.FindExtra(task.index);
  if (known != nullptr && known->ended_token >= task.token) return false;
  if (known != nullptr && known->execution && known->execution != task.execution) LeaveRestored(job, task.index);
  known = job.FindExtra(task.index);
  if (known != nullptr && known->execution) {
    PlaceRestored(*executions_.Find(task.execution), record, task.token);
    return true;
  }
  if (job.InRemainder(task.index) && !job.closed()) job.Return(task.index);
  if (!job.IsReady(task.index)) return false;
  const TaskRef ref{task.job, task.index};
  Execution* execution = executions_.Find(task.execution);
  if (execution == nullptr) {
    execution = &executions_.Restore(task.execution, task.token, ref);
  } else {
    execution->subscribers.insert(execution->subscribers.begin(), ref);  // it came back as another subscriber's
  }
  PlaceRestored(*execution, record, task.token);
  execution->cpus = job.spec().resources.cpus;
  if (job.cacheable) {
    if (auto key = KeyOf(job, task.index)) executions_.SetKey(*execution, *key);
  }
  job.SetBusy(task.index, true);
  TaskExtra& extra = job.Extra(task.index);
  extra.execution = task.execution;
  extra.not_before_ms = 0;
  ++extra.attempt;
  return true;
}

void BrokerCore::PlaceRestored(Execution& execution, const DispatchRecord& record, Token token) {
  UnplaceRestored(execution);
  execution.token = token;
  execution.instance = record.worker_instance;
  execution.worker_name = record.worker_name;
  execution.dispatch_record = record.id;
  orphans_[record.worker_instance].insert(execution.id);
}

void BrokerCore::UnplaceRestored(Execution& execution) {
  if (execution.dispatch_record == 0) return;
  const auto orphans = orphans_.find(execution.instance);
  orphans->second.erase(execution.id);
  if (orphans->second.empty()) orphans_.erase(orphans);
  if (executions_.DropFromRecord(execution.dispatch_record)) stale_records_.push_back(execution.dispatch_record);
  execution.dispatch_record = 0;
}

// The task has left the execution for another one, since that was handed out.
void BrokerCore::LeaveRestored(Job& job, TaskIndex index) {
  TaskExtra& extra = job.Extra(index);
  Execution& older = *executions_.Find(std::exchange(extra.execution, ExecutionId()));
  std::erase(older.subscribers, TaskRef{job.id(), index});
  if (older.subscribers.empty()) {
    UnplaceRestored(older);
    executions_.Erase(older.id);
  }
  if (extra.attempt > 0) --extra.attempt;
  job.SetBusy(index, false);
}

void BrokerCore::FinishRecovery(Now now, Outbox& out) {
  time_kept_ms_ = now.monotonic_ms();
  TellWorker("broker_started", "", "start " + std::to_string(identity_.epoch), now, out);
  for (const std::uint64_t record : stale_records_) out.Write(DeleteDispatch{record});
  stale_records_.clear();
  if (!orphans_.empty()) orphans_until_ms_ = now.monotonic_ms() + config_.reattach_grace_ms;
  RemoveFromStore(cache_.FinishLoading(), out);
  RemoveFromStore(values_.FinishLoading(), out);
  std::vector<JobId> held;
  for (const auto& [id, slot] : jobs_.slots()) {
    const JobBrief brief = jobs_.BriefOf(slot);
    admission_.AddJob(*brief.user);
    if (brief.held) held.push_back(id);
    if (brief.released) {
      KeepForRetention(id, brief.ended_ms);
    } else {
      RecoverOpenJob(id, brief, now, out);
    }
    jobs_.PackIdle();
  }
  for (const JobId id : held) SettleHeldJob(*jobs_.at(id), now, out);
}

// One that is packed, and has nothing that needs it unpacked, stays so: a start with a million of them is quick.
void BrokerCore::RecoverOpenJob(JobId id, const JobBrief& brief, Now now, Outbox& out) {
  ++open_jobs_of_user_[*brief.user];
  const bool stays_so = brief.identified || DefaultIdentity(*brief.solver).empty();
  if (jobs_.IsPacked(id) && !brief.timed && stays_so) {
    admission_.AddTasks(*brief.user, brief.ready);
    if (!brief.identified) return unresolved_.Add(*brief.solver, id);
    if (brief.probes) probing_.insert(id);
    ready_.Push(brief.request_class, *brief.user, brief.priority, id, brief.enqueued_ms);
    jobs_.NoteQueued(id);
    return;
  }
  Job& job = *jobs_.at(id);
  job.is_unresolved = false;  // it has not been listed yet
  if (job.finished()) return FinishJob(job, now, out);
  admission_.AddTasks(job.record().user,
                      job.Count(TaskState::kPending) + job.Count(TaskState::kRunning) + job.Count(TaskState::kWaiting));
  ArmJobTimers(job);
  if (job.remainder() && *job.remainder() != TaskState::kCancelled && job.remainder_error()) {
    job.failures.push_back({job.remainder_error()->kind, job.remainder_error()->message, job.RemainderCount(), 0});
  }
  const std::set<TaskIndex> returned = job.returned();
  for (const TaskIndex index : returned) RearmReturned(job, index, now);
  Resolve(job, out);
}

// A task that had come back to the queue before the restart.
void BrokerCore::RearmReturned(Job& job, TaskIndex index, Now now) {
  ArmQueueTimeout(job, index, now);
  const std::int64_t not_before_ms = job.Extra(index).not_before_ms;
  if (not_before_ms <= now.monotonic_ms()) return;
  job.SetBusy(index, true);
  backoffs_.insert({not_before_ms, {job.id(), index}});
}

void BrokerCore::ArmJobTimers(const Job& job) {
  const JobSpec& spec = job.spec();
  if (spec.queue_timeout_ms > 0 && !job.held()) {
    queue_timeouts_.insert({job.enqueued_ms + spec.queue_timeout_ms, job.id()});
  }
  if (job.deadline_at_ms > 0) job_deadlines_.insert({job.deadline_at_ms, job.id()});
}

void BrokerCore::DisarmJobTimers(const Job& job) {
  const JobSpec& spec = job.spec();
  if (spec.queue_timeout_ms > 0) queue_timeouts_.erase({job.enqueued_ms + spec.queue_timeout_ms, job.id()});
  if (job.deadline_at_ms > 0) job_deadlines_.erase({job.deadline_at_ms, job.id()});
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
    if (is_read_only()) return RefuseReadOnly(PeerRole::kWorker, caller, correlation, out);
    if (workers_.Find(caller.instance) == nullptr && workers_.all().size() >= config_.max_workers) {
      Error error = Error::Make(ErrorCode::kOverloaded, std::to_string(workers_.all().size()) +
                                                            " workers are connected, and no more are taken "
                                                            "(limits.workers)");
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

constexpr double kReadOnlyRetryS = 60;

// Whether a request changes nothing.
bool IsQuestion(const AnyMessage& request) {
  switch (request.type()) {
    case ListJobs::kType:
    case ShowJob::kType:
    case FetchResults::kType:
    case Watch::kType:
    case UpdateAck::kType:
    case ListWorkers::kType:
    case Explain::kType:
    case Estimate::kType:
    case Heartbeat::kType: return true;
    case CacheQuery::kType: return !request.get<CacheQuery>().clear;
    default: return false;
  }
}

void BrokerCore::RefuseReadOnly(PeerRole role, const Caller& caller, std::uint64_t correlation, Outbox& out) const {
  Error error = ReadOnlyError(ErrorCode::kOverloaded);
  error.retry_after_s = kReadOnlyRetryS;
  out.Reply(role, caller.instance, correlation, ToErrorReply(error));
}

bool BrokerCore::OnMessage(const Caller& caller, Message message, Now now, Outbox& out) {
  OnHeard(caller.instance, now);
  if (is_read_only() && !IsQuestion(message.payload)) {
    const bool worker = workers_.Find(caller.instance) != nullptr;
    if (!worker) RefuseReadOnly(PeerRole::kClient, caller, message.correlation, out);
    return true;
  }
  if (WorkerState* worker = workers_.Find(caller.instance); worker != nullptr && !worker->lost) {
    HandleWorkerMessage(*worker, std::move(message), now, out);
    return true;
  }
  const auto client = clients_.find(caller.instance);
  if (client == clients_.end()) return false;
  HandleClientMessage(client->second, std::move(message), now, out);
  return true;
}

void BrokerCore::OnHeard(const std::string& instance, Now now) {
  if (const auto client = clients_.find(instance); client != clients_.end()) {
    client->second.last_heard_ms = now.monotonic_ms();
  } else if (WorkerState* worker = workers_.Find(instance); worker != nullptr && !worker->lost) {
    worker->last_heard_ms = now.monotonic_ms();
  }
}

void BrokerCore::OnConfigChanged(CoreConfig config, Now, Outbox& out) {
  config_ = std::move(config);
  expiries_.clear();
  for (const auto& [id, slot] : jobs_.slots()) {
    const JobBrief brief = jobs_.BriefOf(slot);
    if (brief.finished) KeepForRetention(id, brief.ended_ms);
  }
  SetCacheLimits();
  RemoveFromStore(cache_.Shrink(), out);
  RemoveFromStore(values_.Shrink(), out);
  // A default that was taken back is learned anew from who is there.
  for (const auto& [instance, worker] : workers_.all()) {
    if (!worker.lost) LearnSolvers(worker, out);
  }
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
  if (is_read_only()) {
    PushUpdates(now, out);
    return jobs_.PackIdle();
  }
  ForgiveLateTurn(now);
  FireDeadlines(now, out);
  TendUpkeep(now, out);
  SettleDependents(now, out);
  ExpireJobs(now, out);
  ProbeAhead(now, out);
  if (schedule_needed_) Schedule(now, out);
  PushUpdates(now, out);
  TendCache(now, out);
  KeepTimeOnDisk(now, out);
  jobs_.PackIdle();
  last_wall_ms_ = now.wall_ms;
  last_turn_ms_ = now.monotonic_ms();
  turn_due_ms_ = NextDeadlineMs();
}

// A broker that is killed loses no more than this of the ages of what waits.
constexpr std::int64_t kKeepTimeMs = 60'000;

void BrokerCore::KeepTimeOnDisk(Now now, Outbox& out) {
  if (admission_.tasks() == 0 || now.monotonic_ms() - time_kept_ms_ < kKeepTimeMs) return;
  time_kept_ms_ = now.monotonic_ms();
  out.Write(KeepTime{});
}

std::optional<std::int64_t> BrokerCore::NextDeadlineMs() const {
  std::optional<std::int64_t> next;
  const auto consider = [&next](std::int64_t due) {
    if (!next || due < *next) next = due;
  };
  if (watch_deadline_ms_ >= 0) consider(watch_deadline_ms_);
  if (is_read_only()) return next;
  for (const auto& [instance, worker] : workers_.all()) {
    if (!worker.lost) consider(worker.last_heard_ms + config_.worker_lost_after_ms);
  }
  if (!backoffs_.empty()) consider(backoffs_.begin()->first);
  if (!queue_timeouts_.empty()) consider(queue_timeouts_.begin()->first);
  if (!task_queue_timeouts_.empty()) consider(task_queue_timeouts_.begin()->first);
  if (!job_deadlines_.empty()) consider(job_deadlines_.begin()->first);
  if (!delayed_starts_.empty()) consider(delayed_starts_.begin()->first);
  if (!expiries_.empty()) consider(expiries_.begin()->first);
  if (const auto upkeep = NextUpkeepMs()) consider(*upkeep);
  if (orphans_until_ms_) consider(*orphans_until_ms_);
  for (const CacheIndex* index : {&cache_, &values_}) {
    const auto expiry = index->NextExpiry();
    if (expiry) consider(last_turn_ms_ + std::max<std::int64_t>(*expiry - last_wall_ms_, 0));
  }
  if (admission_.tasks() > 0) consider(time_kept_ms_ + kKeepTimeMs);
  for (const auto& [instance, session] : clients_) consider(session.last_heard_ms + config_.client_session_ms);
  return next;
}

}  // namespace icarus::broker
