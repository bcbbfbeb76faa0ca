// Requests that change something: submit, cancel, retry.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/analysis/advice.h"
#include "common/analysis/cache_key.h"
#include "common/analysis/validate.h"
#include "common/base/check.h"
#include "common/base/overloaded.h"
#include "common/base/text.h"

namespace icarus::broker {
void BrokerCore::ReplyError(const Caller& caller, std::uint64_t correlation, const Error& error, Outbox& out) {
  out.Reply(PeerRole::kClient, caller.instance, correlation, ToErrorReply(error));
}

Result<Job*> BrokerCore::FindJob(const Caller& caller, JobId id) {
  const auto it = jobs_.find(id);
  if (it == jobs_.end() || !MaySee(caller, *it->second)) {
    const bool was = id.value > 0 && id.value <= last_job_ && it == jobs_.end();
    const std::string name = "job " + std::to_string(id.value);
    return Error::Make(ErrorCode::kNotFound,
                       was ? name + " is not kept any more: ended jobs go after " +
                                 FormatNumber(static_cast<double>(config_.retention_ms) / 3'600'000) +
                                 " h (jobs.retention_hours); submit it again, and the cache answers what it still has"
                           : "there is no " + name + " of yours; 'icarus list' shows those there are",
                       "job");
  }
  return it->second.get();
}

void BrokerCore::HandleClientMessage(ClientSession& session, Message message, Now now, Outbox& out) {
  const Caller caller = session.caller;
  const std::uint64_t correlation = message.correlation;
  AnyMessage& payload = message.payload;
  switch (payload.type()) {
    case Submit::kType: return HandleSubmit(caller, std::move(payload.get<Submit>()), correlation, now, out);
    case ListJobs::kType: return HandleList(caller, payload.get<ListJobs>(), correlation, out);
    case ShowJob::kType: return HandleShow(caller, payload.get<ShowJob>(), correlation, out);
    case FetchResults::kType: return HandleFetch(caller, payload.get<FetchResults>(), correlation, out);
    case Watch::kType: return HandleWatch(caller, payload.get<Watch>(), correlation, now, out);
    case UpdateAck::kType: return HandleUpdateAck(caller, payload.get<UpdateAck>(), correlation);
    case Cancel::kType: return HandleCancel(caller, payload.get<Cancel>(), correlation, now, out);
    case Retry::kType: return HandleRetry(caller, payload.get<Retry>(), correlation, out);
    case ListWorkers::kType: return HandleWorkers(caller, payload.get<ListWorkers>(), correlation, now, out);
    case Explain::kType: return HandleExplain(caller, payload.get<Explain>(), correlation, now, out);
    case CacheQuery::kType: return HandleCache(caller, payload.get<CacheQuery>(), correlation, out);
    case Estimate::kType: return HandleEstimate(caller, std::move(payload.get<Estimate>()), correlation, now, out);
    case Upkeep::kType: return HandleUpkeep(caller, payload.get<Upkeep>(), correlation, now, out);
    case RemoveCached::kType: return HandleRemoveCached(caller, payload.get<RemoveCached>(), correlation, out);
    case Heartbeat::kType: return out.Reply(PeerRole::kClient, caller.instance, correlation, HeartbeatReply{});
    case Goodbye::kType: return DropSession(caller.instance, out);
    default: return ReplyError(caller, correlation, ProtocolError("a client may not send this message"), out);
  }
}

void BrokerCore::HandleSubmit(const Caller& caller, Submit request, std::uint64_t correlation, Now now, Outbox& out) {
  auto reply = Accept(caller, std::move(request), now, out);
  if (!reply) return ReplyError(caller, correlation, reply.error(), out);
  out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(*reply), /*promise=*/true);
}

Status BrokerCore::CheckCapacity(const JobSpec& spec) const {
  for (const auto& [name, count] : spec.resources.named) {
    const auto cluster = config_.resources.find(name);
    if (cluster != config_.resources.end()) {
      if (count <= cluster->second) continue;
      return Error::Make(ErrorCode::kRefused,
                         std::to_string(count) + " of resource '" + name + "' are asked for, but there are " +
                             std::to_string(cluster->second) + " (resources." + name + ")",
                         name);
    }
    const auto& all = workers_.all();
    const bool offered = std::any_of(all.begin(), all.end(), [&name = name](const auto& worker) {
      return worker.second.hello.resources.contains(name);
    });
    if (!offered) {
      return Error::Make(ErrorCode::kRefused,
                         "no resource '" + name + "' is known; list it as resources." + name +
                             " or start a worker with --resource " + name + "=N",
                         name);
    }
  }
  return {};
}

Result<SubmitReply> BrokerCore::Accept(const Caller& caller, Submit request, Now now, Outbox& out) {
  if (request.id.empty() || request.id.size() > limits::kMaxNameBytes) {
    return UsageError("a submission needs an id of 1 to " + std::to_string(limits::kMaxNameBytes) + " bytes", "id");
  }
  const SubmitKey submit_key = SubmitKey::Of(caller.user, request.id);
  if (const auto known = by_submit_id_.find(submit_key); known != by_submit_id_.end()) {
    const Job& job = *jobs_.at(known->second);
    ICARUS_TRY(CanonicaliseSpec(catalogue_, request.spec));
    if (!job.spec().SameTasks(request.spec)) {
      return Error::Make(ErrorCode::kRefused,
                         "the id '" + request.id + "' is that of job " + std::to_string(job.id().value) +
                             ", which asks for something else; give this one an id of its own",
                         "id");
    }
    return SubmitReply{job.id(), job.total(), job.cached, 0, true, {}};
  }
  if (!storage_reason_.empty()) {
    Error error = Error::Make(ErrorCode::kOverloaded, "nothing can be accepted now: " + storage_reason_);
    error.retry_after_s = 5;
    return error;
  }
  ICARUS_TRY(CanonicaliseSpec(catalogue_, request.spec));
  ICARUS_ASSIGN(const std::uint32_t total, request.spec.sweep.Count());
  ICARUS_TRY(admission_.Admit(config_.admission, caller.user, total, memory_bytes_));
  ICARUS_TRY(CheckCapacity(request.spec));
  ICARUS_TRY(CheckDependencies(caller, request.spec));

  JobRecord record{JobId(++last_job_), caller.user,        request.id,
                   now.wall_ms,        now.monotonic_ms(), std::move(request.spec)};
  const JobId id = record.job;
  const Manifest& manifest = *catalogue_.Find(record.spec.analysis);
  auto made = std::make_unique<Job>(std::move(record), manifest, total);
  Job& job = *made;
  job.enqueued_ms = job.record().enqueued_ms;
  job.cacheable = IsCacheable(manifest, job.spec());
  job.identity = job.spec().solver_identity;
  out.Write(PutJob{job.record()});
  jobs_.Add(std::move(made));
  by_submit_id_[submit_key] = id;
  admission_.AddJob(caller.user);
  admission_.AddTasks(caller.user, total);
  NoteActive(caller.user);
  ArmJobTimers(job);
  NoteDependencies(job);
  Resolve(job, out);
  SettleHeldJob(job, now, out);

  SubmitReply reply;
  reply.job = id;
  reply.tasks = total;
  if (!job.cacheable) reply.probed = total;  // nothing to look for
  if (job.ReadsCache() && !job.held() && !job.identity.empty()) {
    while (job.probe_next < total && job.probe_next < limits::kProbesAtSubmit && !job.tasks_released() &&
           reads_in_flight_ < kMostReads) {
      if (ProbeTask(job, job.probe_next, now, out) == Probed::kHit) ++reply.cached;
      ++job.probe_next;
    }
    reply.probed = job.probe_next;
    if (!job.tasks_released() && !job.HasReady()) Dequeue(job);
  }
  if (reply.cached < total) {
    reply.warnings = SubmitWarnings(job);
    for (std::string& advice : Advise(manifest, job.spec())) reply.warnings.push_back(std::move(advice));
  }
  TellJob("job_submitted", job, job.spec().analysis + ", " + Counted(total, "task"), now, out);
  out.Log("job accepted", {{"job", std::to_string(id.value)},
                           {"user", caller.user},
                           {"analysis", job.spec().analysis},
                           {"tasks", std::to_string(total)}});
  return reply;
}

std::vector<std::string> BrokerCore::SubmitWarnings(const Job& job) const {
  std::vector<std::string> warnings;
  bool name_offered = false;
  bool offered = false;
  bool fits = false;
  std::string others;
  for (const auto& [instance, worker] : workers_.all()) {
    if (worker.lost) continue;
    const auto solver = worker.hello.solvers.find(job.spec().solver);
    if (solver == worker.hello.solvers.end()) continue;
    name_offered = true;
    if (solver->second != job.identity) {
      others = solver->second;
      continue;
    }
    offered = true;
    fits = fits || worker.CanEverRun(classes_.Get(job.request_class));
  }
  const std::string solver = job.spec().solver;
  if (workers_.all().empty()) {
    warnings.push_back("no worker is connected; the tasks wait (start some with 'icarus up')");
  } else if (!name_offered) {
    warnings.push_back("no worker offers the solver '" + solver + "'; the tasks wait ('icarus workers' says why)");
  } else if (!offered) {
    warnings.push_back("no worker offers " + solver + "@" + job.identity + ", only builds such as " + solver + "@" +
                       others + "; the tasks wait (see 'icarus config set solvers." + solver + ".default')");
  } else if (!fits) {
    warnings.push_back("no worker has the resources or labels that are asked for; the tasks wait");
  }
  return warnings;
}

void BrokerCore::HandleCancel(const Caller& caller, const Cancel& request, std::uint64_t correlation, Now now,
                              Outbox& out) {
  auto found = FindJob(caller, request.job);
  if (!found) return ReplyError(caller, correlation, found.error(), out);
  Job& job = **found;
  PendingCancel cancel{caller.instance, correlation, {}, {}};
  const auto refuse_final = [&](const std::string& what, TaskState state) {
    ReplyError(caller, correlation,
               Error::Make(ErrorCode::kRefused,
                           what + " is already " + std::string(StateName(state)) + "; nothing was changed"),
               out);
  };
  for (const TaskIndex index : request.tasks) {
    if (index >= job.total()) {
      return ReplyError(caller, correlation,
                        Error::Make(ErrorCode::kNotFound,
                                    "job " + std::to_string(job.id().value) + " has no task " + std::to_string(index)),
                        out);
    }
  }
  if (job.finished()) {
    return refuse_final(
        request.tasks.size() == 1 ? "task " + FormatTask({job.id(), request.tasks.front()})
                                  : "job " + std::to_string(job.id().value),
        request.tasks.size() == 1 && !job.tasks_released() ? job.StateOf(request.tasks.front()) : job.state());
  }
  if (request.tasks.size() == 1 && IsFinal(job.StateOf(request.tasks.front()))) {
    return refuse_final("task " + FormatTask({job.id(), request.tasks.front()}), job.StateOf(request.tasks.front()));
  }
  TaskError error;
  error.kind = TaskErrorKind::kCancelled;
  error.message = request.reason.empty() ? "cancelled by " + caller.user : request.reason;
  const std::uint64_t before = job.Count(TaskState::kCancelled);
  cancel.reply.already_final = CancelTasks(job, request.tasks, error, cancel.open, now, out);
  cancel.reply.cancelled = job.Count(TaskState::kCancelled) - before;
  // With the named ones others may have ended, by --max-fails; nobody asked about those.
  const std::uint64_t named =
      request.tasks.size() - std::min<std::uint64_t>(cancel.reply.already_final, request.tasks.size());
  if (!request.tasks.empty()) cancel.reply.cancelled = std::min(cancel.reply.cancelled, named);
  if (cancel.open.empty()) {
    out.Reply(PeerRole::kClient, caller.instance, correlation, cancel.reply, /*promise=*/true);
  } else {
    pending_cancels_.push_back(std::move(cancel));
  }
}

std::uint64_t BrokerCore::CancelTasks(Job& job, const std::vector<TaskIndex>& tasks, const TaskError& error,
                                      std::set<ExecutionId>& open, Now now, Outbox& out) {
  std::vector<TaskIndex> indices = tasks;
  std::uint64_t already_final = 0;
  const bool whole = tasks.empty();
  if (whole) {
    indices = job.Taken();
    already_final = job.total() - job.unstarted() - indices.size();
  }
  for (const TaskIndex index : indices) {
    if (job.tasks_released()) break;
    if (IsFinal(job.StateOf(index))) {
      if (!whole) ++already_final;
      continue;
    }
    EndTaskEarly(job, index, TaskState::kCancelled, error, open, now, out);
  }
  if (whole && !job.tasks_released()) EndReady(job, TaskState::kCancelled, error, now, out);
  return already_final;
}

// A task that is not final becomes so: at once, or when the worker has ended what only this task waits for.
void BrokerCore::EndTaskEarly(Job& job, TaskIndex index, TaskState state, const TaskError& error,
                              std::set<ExecutionId>& open, Now now, Outbox& out) {
  const TaskRef task{job.id(), index};
  const TaskExtra* extra = job.FindExtra(index);
  Execution* execution = extra != nullptr && extra->execution ? executions_.Find(extra->execution) : nullptr;
  if (execution != nullptr && execution->subscribers.size() == 1 && execution->at_worker()) {
    execution->stop_as = state;
    execution->stop_error = error;
    open.insert(execution->id);
    StopExecution(*execution, out);
    return;
  }
  if (execution != nullptr) Unsubscribe(*execution, task, now, out);
  TaskRecord record;
  record.error = error;
  EndTask(job, index, state, std::move(record), nullptr, now, out);
}

// Every ready task of the job ends at once, and what comes back later ends alike.
void BrokerCore::EndReady(Job& job, TaskState state, const TaskError& error, Now now, Outbox& out) {
  // Those that came back end one by one: an execution that one still leads is others' too, or ends with it.
  const std::set<TaskIndex> returned = job.returned();
  std::set<ExecutionId> open;
  for (const TaskIndex index : returned) {
    if (!job.tasks_released() && !IsFinal(job.StateOf(index))) EndTaskEarly(job, index, state, error, open, now, out);
  }
  if (!job.tasks_released()) EndUntaken(job, state, error, /*closed=*/true, now, out);
}

// Every ready task that was never taken ends, as a whole.
void BrokerCore::EndUntaken(Job& job, TaskState state, const TaskError& error, bool closed, Now now, Outbox& out) {
  const std::uint64_t ended = job.EndRemainder(state, error, closed);
  if (ended == 0) return;
  if (!closed) {
    for (const TaskIndex index : job.returned()) KeepPending(job, index, out);
    for (const TaskIndex index : job.Taken()) KeepPending(job, index, out);
  }
  admission_.EndTasks(job.record().user, ended);
  const std::string how = Counted(ended, "task") + " not begun: " + std::string(StateName(state));
  TellJob("tasks_ended", job, error.message.empty() ? how : how + ": " + error.message, now, out);
  if (state != TaskState::kCancelled) {
    FailureGroup group{error.kind, error.message, ended, 0};
    job.failures.push_back(std::move(group));
  }
  if (!job.HasReady()) Dequeue(job);
  probing_.erase(job.id());
  out.Write(PutJobStatus{job.StatusRecord()});
  AfterTaskEnded(job, now, out);
}

void BrokerCore::HandleRetry(const Caller& caller, const Retry& request, std::uint64_t correlation, Outbox& out) {
  auto found = FindJob(caller, request.job);
  if (!found) return ReplyError(caller, correlation, found.error(), out);
  Job& job = **found;
  if (request.id.size() > limits::kMaxNameBytes) {
    return ReplyError(
        caller, correlation,
        UsageError("the id of a retry has at most " + std::to_string(limits::kMaxNameBytes) + " bytes", "id"), out);
  }
  for (const TaskIndex index : request.tasks) {
    if (index >= job.total()) {
      return ReplyError(caller, correlation,
                        Error::Make(ErrorCode::kNotFound,
                                    "job " + std::to_string(job.id().value) + " has no task " + std::to_string(index)),
                        out);
    }
  }
  if (AnswerRepeatedRetry(job, request, caller, correlation, out)) return;
  if (job.finished() && job.Count(TaskState::kCompleted) == job.total()) {
    return ReplyError(caller, correlation,
                      Error::Make(ErrorCode::kRefused,
                                  "job " + std::to_string(job.id().value) + " is completed; there is nothing to retry"),
                      out);
  }
  ReadForRetry(caller, request, correlation, job, out);
}

// One that was carried out before, and is sent again because its answer was lost.
bool BrokerCore::AnswerRepeatedRetry(const Job& job, const Retry& request, const Caller& caller,
                                     std::uint64_t correlation, Outbox& out) {
  if (request.id.empty()) return false;
  for (const RetryNote& note : job.retry_notes) {
    if (note.id != request.id) continue;
    out.Reply(PeerRole::kClient, caller.instance, correlation, RetryReply{note.retried}, /*promise=*/true);
    return true;
  }
  return false;
}

// What is known of ended tasks is in the store: their history goes on in the next generation.
void BrokerCore::ReadForRetry(const Caller& caller, const Retry& request, std::uint64_t correlation, Job& job,
                              Outbox& out) {
  PendingRead read{PendingRead::Kind::kRetry, correlation, caller, job.id()};
  read.retry = request;
  read.job_retries = job.retries;
  const auto consider = [&](TaskIndex index) {
    if (job.tasks_released()) {
      read.asked.push_back(index);  // a finished job has forgotten the states of its tasks: all of them are read
    } else if (IsFinal(job.StateOf(index)) && job.StateOf(index) != TaskState::kCompleted && !job.InRemainder(index)) {
      read.asked.push_back(index);
    }
  };
  if (request.tasks.empty() || job.tasks_released()) {
    for (TaskIndex index = 0; index < job.total(); ++index) consider(index);
  } else {
    for (const TaskIndex index : std::set<TaskIndex>(request.tasks.begin(), request.tasks.end())) consider(index);
  }
  AskStore(std::move(read), out);
}

void BrokerCore::AnswerRetry(PendingRead& read, const std::vector<std::optional<TaskRecord>>& records, Now now,
                             Outbox& out) {
  const auto found = jobs_.find(read.job);
  if (found == jobs_.end())
    return ReplyError(read.caller, read.correlation, FindJob(read.caller, read.job).error(), out);
  Job& job = *found->second;
  if (AnswerRepeatedRetry(job, read.retry, read.caller, read.correlation, out)) return;
  // Between the question and the answer the job may have been finished, or retried by another.
  if ((job.tasks_released() && read.asked.size() < job.total()) || job.retries != read.job_retries) {
    return ReadForRetry(read.caller, read.retry, read.correlation, job, out);
  }
  ReloadTasks(job, read, records);
  const std::uint64_t retried = RetryTasks(job, read.retry, KnownRecords(read, records), now, out);
  if (job.finished()) job.ReleaseTasks();
  if (retried == 0 && !read.retry.tasks.empty()) {
    return ReplyError(
        read.caller, read.correlation,
        Error::Make(ErrorCode::kRefused, "none of these tasks failed, timed out or was cancelled; nothing to retry"),
        out);
  }
  out.Reply(PeerRole::kClient, read.caller.instance, read.correlation, RetryReply{retried}, /*promise=*/true);
}

// A finished job has forgotten its tasks.
void BrokerCore::ReloadTasks(Job& job, const PendingRead& read, const std::vector<std::optional<TaskRecord>>& records) {
  if (!job.tasks_released()) return;
  job.ReloadTasks();
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i]) job.RestoreState(read.asked[i], records[i]->state);
  }
}

std::map<TaskIndex, const TaskRecord*> BrokerCore::KnownRecords(const PendingRead& read,
                                                                const std::vector<std::optional<TaskRecord>>& records) {
  std::map<TaskIndex, const TaskRecord*> known;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i]) known[read.asked[i]] = &*records[i];
  }
  return known;
}

std::uint64_t BrokerCore::RetryTasks(Job& job, const Retry& request,
                                     const std::map<TaskIndex, const TaskRecord*>& records, Now now, Outbox& out) {
  const std::set<TaskIndex> wanted(request.tasks.begin(), request.tasks.end());
  const bool all = wanted.empty();
  const auto retriable = [&](TaskIndex index) {
    const TaskState state = job.StateOf(index);
    return IsFinal(state) && state != TaskState::kCompleted;
  };
  if (!all && std::none_of(wanted.begin(), wanted.end(), retriable)) return 0;
  if (all && job.Count(TaskState::kFailed) + job.Count(TaskState::kTimedOut) + job.Count(TaskState::kCancelled) == 0) {
    return 0;
  }
  DisarmJobTimers(job);
  std::uint64_t retried = 0;
  if (const std::optional<TaskState> state = job.remainder()) {
    // What ended as a whole is reopened as a whole; what is not wanted of it gets records of its own.
    std::set<TaskIndex> keep;
    for (TaskIndex index = 0; !all && index < job.total(); ++index) {
      if (job.InRemainder(index) && !wanted.contains(index)) keep.insert(index);
    }
    const std::optional<TaskError> error = job.remainder_error();
    const std::uint64_t reopened = job.ReopenRemainder();
    admission_.AddTasks(job.record().user, reopened);
    retried = reopened - keep.size();
    if (error) UncountFailures(job, *error, retried);
    KeepInRemainder(job, keep, *state, error, now, out);
  }
  for (const auto& [index, record] : records) {
    if (!(all || wanted.contains(index)) || !retriable(index)) continue;
    RetryTask(job, index, *record, now, out);
    ++retried;
  }
  job.Rewind();
  ForgetRetention(job);
  if (job.finished_at_ms != 0) NoteActive(job.record().user);
  ++job.retries;
  TellJob("job_retried", job, Counted(retried, "task"), now, out);
  if (!request.id.empty()) {
    if (job.retry_notes.size() >= limits::kRetryNotes) job.retry_notes.erase(job.retry_notes.begin());
    job.retry_notes.push_back({request.id, retried});
  }
  job.finished_at_ms = 0;
  job.max_fails_reached = false;
  Dequeue(job);
  job.enqueued_ms = now.monotonic_ms();
  if (job.spec().deadline_ms > 0) job.deadline_at_ms = now.monotonic_ms() + job.spec().deadline_ms;
  ArmJobTimers(job);
  out.Write(PutJobStatus{job.StatusRecord()});
  ReopenDependents(job, out);
  // A job that was finished at the broker's start has no request class yet.
  Resolve(job, out);
  Touch(job);
  SettleHeldJob(job, now, out);
  return retried;
}

void BrokerCore::KeepInRemainder(Job& job, const std::set<TaskIndex>& keep, TaskState state,
                                 std::optional<TaskError> error, Now now, Outbox& out) {
  for (const TaskIndex index : keep) {
    job.SetState(index, state);
    admission_.EndTasks(job.record().user, 1);
    TaskRecord record;
    record.state = state;
    record.error = error;
    record.ended_at_ms = now.wall_ms;
    out.Write(PutTask{{job.id(), index}, std::move(record), nullptr});
  }
}

// The next generation of a task: what happened before stays in its history, the counts towards limits begin anew.
void BrokerCore::RetryTask(Job& job, TaskIndex index, const TaskRecord& record, Now now, Outbox& out) {
  job.SetState(index, TaskState::kPending);
  admission_.AddTasks(job.record().user, 1);
  if (record.error) UncountFailures(job, *record.error, 1);
  if (IsFromCache(record.via) && job.cached > 0) --job.cached;
  TaskExtra& extra = job.Extra(index);
  extra.attempt = record.attempt;
  extra.generation = record.generation + 1;
  extra.ended_token = record.ended_token;
  if (record.history) extra.history = *record.history;
  extra.kept = record.kept;
  ForgetFailure(job, index, out);
  KeepPending(job, index, out);
  ReturnToQueue(job, index, now, out);
}

}  // namespace icarus::broker
