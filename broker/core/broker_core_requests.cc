// Requests that change something: submit, cancel, retry.
#include <algorithm>

#include "broker/core/broker_core.h"
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
    return Error::Make(ErrorCode::kNotFound,
                       "there is no job " + std::to_string(id.value) + " of yours; 'icarus list' shows those there are",
                       "job");
  }
  return it->second.get();
}

void BrokerCore::HandleClientMessage(ClientSession& session, Message message, Now now, Outbox& out) {
  const Caller caller = session.caller;
  const std::uint64_t correlation = message.correlation;
  std::visit(
      Overloaded{
          [&](Submit& request) { HandleSubmit(caller, std::move(request), correlation, now, out); },
          [&](ListJobs& request) { HandleList(caller, request, correlation, out); },
          [&](ShowJob& request) { HandleShow(caller, request, correlation, out); },
          [&](FetchResults& request) { HandleFetch(caller, request, correlation, out); },
          [&](Watch& request) { HandleWatch(caller, request, correlation, now, out); },
          [&](UpdateAck& request) { HandleUpdateAck(caller, request, correlation); },
          [&](Cancel& request) { HandleCancel(caller, request, correlation, now, out); },
          [&](Retry& request) { HandleRetry(caller, request, correlation, now, out); },
          [&](ListWorkers& request) { HandleWorkers(caller, request, correlation, now, out); },
          [&](CacheQuery& request) { HandleCache(caller, request, correlation, out); },
          [&](Heartbeat&) { out.Reply(PeerRole::kClient, caller.instance, correlation, HeartbeatReply{}); },
          [&](Goodbye&) { DropSession(caller.instance); },
          [&](auto&) { ReplyError(caller, correlation, ProtocolError("a client may not send this message"), out); },
      },
      message.payload);
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
  const std::pair<std::string, std::string> submit_id{caller.user, request.id};
  if (const auto known = by_submit_id_.find(submit_id); known != by_submit_id_.end()) {
    const Job& job = *jobs_.at(known->second);
    return SubmitReply{job.id(), job.total(), job.cached, 0, true, {}};
  }
  if (!storage_reason_.empty()) {
    Error error = Error::Make(ErrorCode::kOverloaded, "nothing can be accepted now: " + storage_reason_);
    error.retry_after_s = 5;
    return error;
  }
  ICARUS_TRY(CanonicaliseSpec(catalogue_, request.spec));
  ICARUS_ASSIGN(const std::uint32_t total, request.spec.sweep.Count());
  if (jobs_.size() >= limits::kMaxJobs || open_tasks_ + total > config_.max_pending_tasks) {
    Error error = Error::Make(ErrorCode::kOverloaded,
                              "the queue is full (" + std::to_string(open_tasks_) + " tasks; limits.pending_tasks)");
    error.retry_after_s = 10;
    return error;
  }
  ICARUS_TRY(CheckCapacity(request.spec));

  JobRecord record{JobId(++last_job_), caller.user, request.id, now.wall_ms, std::move(request.spec)};
  const JobId id = record.job;
  const Manifest& manifest = *catalogue_.Find(record.spec.analysis);
  auto made = std::make_unique<Job>(std::move(record), manifest, total);
  Job& job = *made;
  job.enqueued_ms = now.monotonic_ms();
  job.cacheable = IsCacheable(manifest, job.spec());
  job.identity = job.spec().solver_identity;
  out.Write(PutJob{job.record()});
  jobs_[id] = std::move(made);
  by_submit_id_[submit_id] = id;
  open_tasks_ += total;
  if (job.spec().queue_timeout_ms > 0) queue_timeouts_.insert({job.enqueued_ms + job.spec().queue_timeout_ms, id});
  if (job.spec().deadline_ms > 0) job_deadlines_.insert({job.enqueued_ms + job.spec().deadline_ms, id});
  unresolved_.insert(id);
  ResolveJobs(out);

  SubmitReply reply;
  reply.job = id;
  reply.tasks = total;
  if (!job.cacheable) reply.probed = total;  // nothing to look for
  if (job.cacheable && !job.identity.empty() && job.spec().cache != CachePolicy::kRefresh) {
    while (job.probe_next < total && job.probe_next < limits::kProbesAtSubmit && !job.tasks_released()) {
      if (ProbeTask(job, job.probe_next, now, out) == Probed::kHit) ++reply.cached;
      ++job.probe_next;
    }
    reply.probed = job.probe_next;
    if (!job.tasks_released() && !job.HasReady()) Dequeue(job);
  }
  reply.warnings = SubmitWarnings(job);
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
  cancel.reply.cancelled = job.Count(TaskState::kCancelled) - before + cancel.open.size();
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
    already_final = job.total() - job.ready();
    for (const auto& [index, extra] : job.extras()) {
      if (extra.execution || extra.reading) indices.push_back(index);
    }
    std::sort(indices.begin(), indices.end());
    already_final -= indices.size();
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

// Every ready task of the job ends at once.
void BrokerCore::EndReady(Job& job, TaskState state, const TaskError& error, Now now, Outbox& out) {
  // Those that came back with their execution leave it first: it is others' too, or ends.
  std::vector<TaskIndex> requeued;
  for (const auto& [index, extra] : job.extras()) {
    if (extra.execution && job.IsReady(index)) requeued.push_back(index);
  }
  std::sort(requeued.begin(), requeued.end());
  std::set<ExecutionId> open;
  for (const TaskIndex index : requeued) EndTaskEarly(job, index, state, error, open, now, out);
  if (job.tasks_released()) return;
  const std::uint64_t ended = job.EndRemainder(state, error);
  if (ended == 0) return;
  open_tasks_ -= ended;
  if (state != TaskState::kCancelled) {
    FailureGroup group{error.kind, error.message, ended, 0};
    job.failures.push_back(std::move(group));
  }
  Dequeue(job);
  probing_.erase(job.id());
  out.Write(PutJobStatus{job.StatusRecord()});
  AfterTaskEnded(job, now, out);
}

void BrokerCore::HandleRetry(const Caller& caller, const Retry& request, std::uint64_t correlation, Now now,
                             Outbox& out) {
  auto found = FindJob(caller, request.job);
  if (!found) return ReplyError(caller, correlation, found.error(), out);
  Job& job = **found;
  for (const TaskIndex index : request.tasks) {
    if (index >= job.total()) {
      return ReplyError(caller, correlation,
                        Error::Make(ErrorCode::kNotFound,
                                    "job " + std::to_string(job.id().value) + " has no task " + std::to_string(index)),
                        out);
    }
  }
  if (job.finished() && job.Count(TaskState::kCompleted) == job.total()) {
    return ReplyError(caller, correlation,
                      Error::Make(ErrorCode::kRefused,
                                  "job " + std::to_string(job.id().value) + " is completed; there is nothing to retry"),
                      out);
  }
  if (job.tasks_released()) {
    PendingRead read{PendingRead::Kind::kReload, correlation, caller, job.id()};
    read.retry = request;
    for (TaskIndex index = 0; index < job.total(); ++index) read.asked.push_back(index);
    out.Push(ReadTasks{++last_ticket_, job.id(), read.asked, false});
    pending_reads_[last_ticket_] = std::move(read);
    return;
  }
  const std::uint64_t retried = RetryTasks(job, request.tasks, now, out);
  if (retried == 0 && !request.tasks.empty()) {
    return ReplyError(
        caller, correlation,
        Error::Make(ErrorCode::kRefused, "none of these tasks failed, timed out or was cancelled; nothing to retry"),
        out);
  }
  out.Reply(PeerRole::kClient, caller.instance, correlation, RetryReply{retried}, /*promise=*/true);
}

std::uint64_t BrokerCore::RetryTasks(Job& job, std::vector<TaskIndex> tasks, Now now, Outbox& out) {
  const std::optional<TaskState> remainder = job.remainder();
  const std::optional<TaskError> remainder_error = job.remainder_error();
  std::uint64_t retried = 0;
  if (remainder) {
    // What ended as a whole gets its own records where it is not retried now.
    std::vector<TaskIndex> keep;
    if (!tasks.empty()) {
      const std::set<TaskIndex> wanted(tasks.begin(), tasks.end());
      for (TaskIndex index = 0; index < job.total(); ++index) {
        if (job.InRemainder(index) && !wanted.contains(index)) keep.push_back(index);
      }
    }
    const std::uint64_t reopened = job.ReopenRemainder();
    open_tasks_ += reopened;
    retried = reopened - keep.size();
    for (const TaskIndex index : keep) {
      job.SetState(index, *remainder);
      --open_tasks_;
      TaskRecord record;
      record.state = *remainder;
      record.error = remainder_error;
      record.ended_at_ms = now.wall_ms;
      out.Write(PutTask{{job.id(), index}, std::move(record), nullptr});
    }
  }
  const bool all = tasks.empty();
  const std::uint32_t count = all ? job.total() : static_cast<std::uint32_t>(tasks.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const TaskIndex index = all ? i : tasks[i];
    const TaskState state = job.StateOf(index);
    if (!IsFinal(state) || state == TaskState::kCompleted) continue;
    job.SetState(index, TaskState::kPending);
    ++open_tasks_;
    job.Return(index);
    out.Write(DeleteTask{{job.id(), index}});
    ++retried;
  }
  if (retried == 0) return 0;
  job.Rewind();
  job.finished_at_ms = 0;
  if (all) job.failures.clear();
  job.max_fails_reached = false;
  job.enqueued_ms = now.monotonic_ms();
  out.Write(PutJobStatus{job.StatusRecord()});
  // A job that was finished at the broker's start has no request class yet.
  unresolved_.insert(job.id());
  ResolveJobs(out);
  Touch(job);
  return retried;
}

}  // namespace icarus::broker
