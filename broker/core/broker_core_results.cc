// How executions end, and what their tasks become.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/base/check.h"

namespace icarus::broker {
namespace {

constexpr std::int64_t kFirstBackoffMs = 500;
constexpr std::int64_t kLongestBackoffMs = 60'000;
constexpr double kLeastServiceS = 0.001;  // a task costs its user so much at least

TaskRecord BaseRecord(const TaskExtra* extra) {
  TaskRecord record;
  if (extra == nullptr) return record;
  record.attempt = extra->attempt;
  record.failures = extra->failures;
  record.worker_deaths = extra->worker_deaths;
  record.generation = extra->generation;
  record.ended_token = extra->ended_token;
  if (!extra->history.empty()) record.history = extra->history;
  record.kept = extra->kept;
  return record;
}

void AppendAttempt(std::vector<AttemptRecord>& history, AttemptRecord attempt) {
  if (history.size() >= limits::kAttemptHistory) history.erase(history.begin());
  history.push_back(std::move(attempt));
}

}  // namespace

// The one way of a task to a final state.
void BrokerCore::EndTask(Job& job, TaskIndex index, TaskState state, TaskRecord record, const Body& body, Now now,
                         Outbox& out) {
  const TaskExtra* extra = job.FindExtra(index);
  TaskRecord full = BaseRecord(extra);
  full.state = state;
  full.worker = std::move(record.worker);
  full.host = std::move(record.host);
  full.identity = std::move(record.identity);
  full.key = record.key;
  full.ended_at_ms = now.wall_ms;
  full.computed_at_ms = record.computed_at_ms;
  full.queue_wait_s = record.queue_wait_s;
  full.run_s = record.run_s;
  full.compute_s = record.compute_s;
  full.via = record.via;
  full.incomplete = record.incomplete;
  full.error = std::move(record.error);
  full.blobs = std::move(record.blobs);
  full.has_body = body != nullptr;
  if (state == TaskState::kCompleted) full.kept.reset();
  if (state != TaskState::kCompleted && state != TaskState::kCancelled && full.error)
    CountFailure(job, index, *full.error);
  if (full.incomplete) ++job.incomplete;
  if (extra != nullptr && extra->not_before_ms > 0) backoffs_.erase({extra->not_before_ms, {job.id(), index}});
  job.SetState(index, state);
  job.DropExtra(index);
  admission_.EndTasks(job.record().user, 1);
  TellEnd(job, index, full, now, out);
  out.Write(PutTask{{job.id(), index}, std::move(full), body});
  const bool awaited = dependents_.contains(job.id()) && (ended_jobs_.empty() || ended_jobs_.back() != job.id());
  if (awaited) ended_jobs_.push_back(job.id());  // its file may be an input elsewhere
  AfterTaskEnded(job, now, out);
}

void BrokerCore::CountFailure(Job& job, TaskIndex index, const TaskError& error) {
  for (FailureGroup& group : job.failures) {
    if (group.kind == error.kind && group.message == error.message) {
      ++group.count;
      return;
    }
  }
  if (job.failures.size() < limits::kFailureGroups) job.failures.push_back({error.kind, error.message, 1, index});
}

void BrokerCore::UncountFailures(Job& job, const TaskError& error, std::uint64_t count) {
  for (FailureGroup& group : job.failures) {
    if (group.kind == error.kind && group.message == error.message) group.count -= std::min(group.count, count);
  }
  std::erase_if(job.failures, [](const FailureGroup& group) { return group.count == 0; });
}

void BrokerCore::AfterTaskEnded(Job& job, Now now, Outbox& out) {
  Touch(job);
  const std::int64_t allowed = job.spec().max_fails;
  const auto failed = static_cast<std::int64_t>(job.Count(TaskState::kFailed) + job.Count(TaskState::kTimedOut));
  if (allowed >= 0 && failed > allowed && !job.max_fails_reached && !job.finished()) {
    job.max_fails_reached = true;
    TaskError error;
    error.kind = TaskErrorKind::kCancelled;
    error.message = "more than " + std::to_string(allowed) + " tasks failed (--max-fails)";
    std::set<ExecutionId> open;
    CancelTasks(job, {}, error, open, now, out);
  }
  if (job.finished() && job.finished_at_ms == 0) FinishJob(job, now, out);
}

void BrokerCore::FinishJob(Job& job, Now now, Outbox& out) {
  job.finished_at_ms = now.wall_ms;
  job.ended_ms = now.monotonic_ms();
  KeepForRetention(job.id(), job.ended_ms);
  out.Write(PutJobStatus{job.StatusRecord()});
  if (job.in_queue) Dequeue(job);
  probing_.erase(job.id());
  if (std::exchange(job.is_unresolved, false)) EndUnresolved(job);
  DisarmJobTimers(job);
  TellJob("job_finished", job, std::string(StateName(job.state())), now, out);
  out.Log("job finished", {{"job", std::to_string(job.id().value)}, {"state", std::string(StateName(job.state()))}});
  job.ReleaseTasks();
  ended_jobs_.push_back(job.id());
  --open_jobs_of_user_[job.record().user];
  Touch(job, /*finished=*/true);
}

void BrokerCore::FinishExecution(Execution& execution, const ExecutionResult& result, Body body, Now now, Outbox& out) {
  const ExecutionId id = execution.id;
  const double cpus = execution.cpus;
  predictor_.Learn(execution.request_class, result.run_s);
  if (const auto job = jobs_.find(execution.leader().job); job != jobs_.end()) {
    ++job->second->computed;
    service_[job->second->record().user] += std::max(result.run_s, kLeastServiceS) * cpus;
  }
  if (WorkerState* worker = workers_.Find(execution.instance)) {
    result.outcome == TaskState::kCompleted ? ++worker->completed : ++worker->failed;
  }
  DetachFromWorker(execution, out);
  if (result.outcome == TaskState::kCompleted) {
    StoreInCache(execution, result, body, now, out);
    const std::vector<TaskRef> subscribers = execution.subscribers;
    const Execution ended = execution;
    EraseExecution(execution, out);
    bool leader = true;
    for (const TaskRef task : subscribers) {
      if (IsOpen(task)) CompleteTask(task, ended, result, body, leader, now, out);
      leader = false;
    }
  } else {
    FailSubscribers(execution, result, body, now, out);
  }
  NoteCancelProgress(id, result.outcome != TaskState::kCompleted, out);
}

// False when the end of another subscriber has ended this one too (--max-fails).
bool BrokerCore::IsOpen(TaskRef task) const {
  const Job& job = *jobs_.at(task.job);
  return !job.tasks_released() && !IsFinal(job.StateOf(task.index));
}

void BrokerCore::CompleteTask(TaskRef task, const Execution& execution, const ExecutionResult& result, const Body& body,
                              bool leader, Now now, Outbox& out) {
  Job& job = *jobs_.at(task.job);
  const WorkerState* worker = workers_.Find(execution.instance);
  TaskRecord record;
  record.worker = execution.worker_name;
  record.host = worker != nullptr ? worker->host : "";
  record.identity = job.identity;
  record.key = execution.key;
  record.computed_at_ms = result.finished_at_ms;
  record.queue_wait_s = std::max(0.0, static_cast<double>(execution.dispatched_ms - job.enqueued_ms) / 1000.0);
  record.run_s = result.run_s;
  record.compute_s = result.run_s;
  record.via = leader ? ResultVia::kComputed : ResultVia::kJoined;
  record.incomplete = result.incomplete;
  record.blobs = result.blobs;
  EndTask(job, task.index, TaskState::kCompleted, std::move(record), body, now, out);
}

bool BrokerCore::ShouldRetry(const Execution& execution, const ExecutionResult& result) {
  if (execution.stop_as || !result.error) return false;
  const TaskErrorKind kind = result.error->kind;
  std::int64_t allowed = 0;
  std::int64_t failures = 0;
  bool wanted = kind == TaskErrorKind::kSolverCrashed || kind == TaskErrorKind::kTimedOut ||
                (kind == TaskErrorKind::kNoConvergence && config_.retry_no_convergence);
  for (const TaskRef task : execution.subscribers) {
    const Job& job = *jobs_.at(task.job);
    if (kind == TaskErrorKind::kNonzeroExit && job.spec().retry_exit) wanted = true;
    allowed = std::max<std::int64_t>(allowed, job.spec().retries);
    if (const TaskExtra* extra = job.FindExtra(task.index))
      failures = std::max<std::int64_t>(failures, extra->failures);
  }
  return wanted && failures < allowed;
}

void BrokerCore::FailSubscribers(Execution& execution, const ExecutionResult& result, const Body& body, Now now,
                                 Outbox& out) {
  const TaskError error = execution.stop_as ? execution.stop_error : result.error.value_or(TaskError{});
  const AttemptRecord attempt = DescribeAttempt(execution, error, result);
  if (result.kept && !result.kept->empty()) Keep(execution, *result.kept);
  if (ShouldRetry(execution, result)) {
    std::uint32_t failures = 0;
    for (const TaskRef task : execution.subscribers) {
      failures = std::max(failures, ++jobs_.at(task.job)->Extra(task.index).failures);
    }
    const std::int64_t again_ms = now.monotonic_ms() + Backoff(failures);
    for (const TaskRef task : execution.subscribers) RecordAttempt(task, attempt, execution.token, again_ms, now, out);
    RequeueExecution(execution, again_ms, now, out);
    return;
  }
  if (!execution.stop_as && result.outcome == TaskState::kCancelled) {
    // Nobody asked for it: the worker gave it up (it drains). The task goes back unharmed.
    if (!result.kept) UncountAttempt(execution);
    for (const TaskRef task : execution.subscribers) {
      if (result.kept) RecordAttempt(task, attempt, execution.token, 0, now, out);
    }
    RequeueExecution(execution, 0, now, out);
    return;
  }
  StoreFailure(execution, result, body, now, out);
  const TaskState state = execution.stop_as.value_or(result.outcome);
  const std::vector<TaskRef> subscribers = execution.subscribers;
  const Execution ended = execution;
  EraseExecution(execution, out);
  for (const TaskRef task : subscribers) {
    if (!IsOpen(task)) continue;
    Job& job = *jobs_.at(task.job);
    TaskRecord record;
    record.worker = ended.worker_name;
    record.identity = job.identity;
    record.key = ended.key;
    record.run_s = result.run_s;
    record.compute_s = result.run_s;
    record.computed_at_ms = result.finished_at_ms;
    record.queue_wait_s = std::max(0.0, static_cast<double>(ended.dispatched_ms - job.enqueued_ms) / 1000.0);
    record.error = error;
    record.blobs = result.blobs;
    NoteAttempt(job.Extra(task.index), attempt, ended.token);
    EndTask(job, task.index, state, std::move(record), body, now, out);
  }
}

// Doubled at each failure, with jitter, so that what failed together does not come back together.
std::int64_t BrokerCore::Backoff(std::uint32_t failures) {
  const std::int64_t wait = std::min(kLongestBackoffMs, kFirstBackoffMs << std::min(failures, 7u));
  return wait / 2 + static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(wait)));
}

// What the attempt has left is there for the next one, whichever of the subscribers that is for.
void BrokerCore::Keep(const Execution& execution, const std::vector<FileRef>& files) {
  for (const TaskRef task : execution.subscribers) jobs_.at(task.job)->Extra(task.index).kept = files;
}

// While it runs. The record is that of a task which is not at a worker: recovery counts the attempt, which is the
// leader's, by its dispatch.
void BrokerCore::KeepSaved(const Execution& execution, const std::vector<FileRef>& files, Outbox& out) {
  if (execution.stop_as) return;
  Keep(execution, files);
  for (const TaskRef task : execution.subscribers) {
    TaskRecord record = BaseRecord(jobs_.at(task.job)->FindExtra(task.index));
    record.state = TaskState::kPending;
    if (task == execution.leader() && record.attempt > 0) --record.attempt;
    out.Write(PutTask{task, std::move(record), nullptr});
  }
}

// Without what each subscriber counts for itself.
AttemptRecord BrokerCore::DescribeAttempt(const Execution& execution, const TaskError& error,
                                          const ExecutionResult& result) const {
  AttemptRecord attempt;
  attempt.worker = execution.worker_name;
  attempt.error = error;
  attempt.run_s = result.run_s;
  attempt.ended_at_ms = result.finished_at_ms;
  attempt.cpu_s = result.cpu_s;
  attempt.max_rss_bytes = result.max_rss_bytes;
  attempt.output_tail = result.output_tail;
  const auto worker = workers_.all().find(execution.instance);
  if (worker == workers_.all().end()) return attempt;
  attempt.host = worker->second.host;
  if (worker->second.lost) attempt.telemetry = worker->second.telemetry;
  return attempt;
}

void BrokerCore::NoteAttempt(TaskExtra& extra, AttemptRecord attempt, Token token) {
  extra.ended_token = token;
  attempt.attempt = extra.attempt;
  attempt.generation = extra.generation;
  extra.last_error = attempt.error;
  AppendAttempt(extra.history, std::move(attempt));
}

// The task runs again: what has happened is kept.
void BrokerCore::RecordAttempt(TaskRef task, AttemptRecord attempt, Token token, std::int64_t not_before_ms, Now now,
                               Outbox& out) {
  TellTask("task_returned", *jobs_.at(task.job), task.index, attempt.worker, attempt.error.message, now, out);
  TaskExtra& extra = jobs_.at(task.job)->Extra(task.index);
  NoteAttempt(extra, std::move(attempt), token);
  TaskRecord record = BaseRecord(&extra);
  record.state = TaskState::kPending;
  record.not_before_ms = not_before_ms;
  out.Write(PutTask{task, std::move(record), nullptr});
}

// A worker died with the execution. A task that kills its workers is set aside, the others go back to the queue.
void BrokerCore::EndWorkerDeath(Execution& execution, Now now, Outbox& out) {
  const bool started = execution.state == ExecutionState::kStarted;
  TaskError error;
  error.kind = TaskErrorKind::kWorkerLost;
  error.message = "the worker " + execution.worker_name + " was lost";
  bool give_up = false;
  for (const TaskRef task : execution.subscribers) {
    if (!started) break;
    Job& job = *jobs_.at(task.job);
    TaskExtra& extra = job.Extra(task.index);
    ++extra.worker_deaths;
    if (extra.worker_deaths >= config_.max_worker_deaths || job.spec().no_restart) give_up = true;
  }
  ExecutionResult result;
  result.outcome = TaskState::kFailed;
  result.finished_at_ms = now.wall_ms;
  if (started) result.run_s = static_cast<double>(now.monotonic_ms() - execution.started_ms) / 1000.0;
  if (!give_up) {
    const AttemptRecord attempt = DescribeAttempt(execution, error, result);
    for (const TaskRef task : execution.subscribers) {
      if (started) RecordAttempt(task, attempt, execution.token, 0, now, out);
    }
    RequeueExecution(execution, 0, now, out);
    return;
  }
  error.message +=
      "; it ran this task when it was, for the last time that is allowed (retry.max_worker_deaths, --no-restart)";
  result.error = error;
  FailSubscribers(execution, result, nullptr, now, out);
}

// Frees what the execution held: the worker's room, licences, the stored record.
void BrokerCore::DetachFromWorker(Execution& execution, Outbox& out) {
  if (execution.at_worker()) {
    const RequestClass& request = classes_.Get(execution.request_class);
    if (WorkerState* worker = workers_.Find(execution.instance);
        worker != nullptr && worker->assigned.erase(execution.id) > 0) {
      worker->GiveBack(request);
    }
    for (const auto& [name, count] : request.resources.named) cluster_used_[name] -= count;
    Job& job = *jobs_.at(execution.leader().job);
    --job.in_flight;
    --running_of_user_[job.record().user];
    schedule_needed_ = true;
  } else if (execution.state == ExecutionState::kOrphaned) {
    if (const auto it = orphans_.find(execution.instance); it != orphans_.end()) {
      it->second.erase(execution.id);
      if (it->second.empty()) orphans_.erase(it);
    }
  }
  if (execution.dispatch_record != 0 && executions_.DropFromRecord(execution.dispatch_record)) {
    out.Write(DeleteDispatch{execution.dispatch_record});
  }
  execution.dispatch_record = 0;
  execution.recalled = false;
  execution.asked_back = false;
  execution.state = ExecutionState::kQueued;
}

// Back to the queue with priority and age kept: the leader is ready (at once, or when its wait is over), the others
// still joined.
void BrokerCore::RequeueExecution(Execution& execution, std::int64_t not_before_ms, Now now, Outbox& out) {
  DetachFromWorker(execution, out);
  execution.stop_as.reset();
  for (const TaskRef task : execution.subscribers) {
    Job& job = *jobs_.at(task.job);
    if (job.StateOf(task.index) == TaskState::kRunning) job.SetState(task.index, TaskState::kPending);
    job.Extra(task.index).progress = 0;
    Touch(job);
  }
  std::iter_swap(execution.subscribers.begin(), HighestPriority(execution));
  const TaskRef leader = execution.leader();
  if (not_before_ms > 0) {
    jobs_.at(leader.job)->Extra(leader.index).not_before_ms = not_before_ms;
    backoffs_.insert({not_before_ms, leader});
    return;
  }
  GiveBack(leader, now, out);
}

void BrokerCore::ReturnToQueue(Job& job, TaskIndex index, Now now, Outbox& out) {
  job.Return(index);
  if (job.remainder()) KeepPending(job, index, out);
  ArmQueueTimeout(job, index, now);
  Enqueue(job);
}

// What comes back to the queue has a time of its own there.
void BrokerCore::ArmQueueTimeout(Job& job, TaskIndex index, Now now) {
  if (job.spec().queue_timeout_ms <= 0) return;
  TaskExtra& extra = job.Extra(index);
  extra.queue_due_ms = now.monotonic_ms() + job.spec().queue_timeout_ms;
  task_queue_timeouts_.insert({extra.queue_due_ms, {job.id(), index}});
}

// Without a record of its own a task would be taken for one of those that ended as a whole.
void BrokerCore::KeepPending(const Job& job, TaskIndex index, Outbox& out) {
  TaskRecord record = BaseRecord(job.FindExtra(index));
  record.state = TaskState::kPending;
  out.Write(PutTask{{job.id(), index}, std::move(record), nullptr});
}

// A task that was taken is ready again; or, when its job has been ended meanwhile, it ends like the rest.
void BrokerCore::GiveBack(TaskRef task, Now now, Outbox& out) {
  Job& job = *jobs_.at(task.job);
  if (!job.closed()) return ReturnToQueue(job, task.index, now, out);
  const TaskExtra* extra = job.FindExtra(task.index);
  if (extra != nullptr && extra->execution) Unsubscribe(*executions_.Find(extra->execution), task, now, out);
  TaskRecord record;
  record.error = job.remainder_error();
  EndTask(job, task.index, *job.remainder(), std::move(record), nullptr, now, out);
}

void BrokerCore::EraseExecution(Execution& execution, Outbox& out) {
  DetachFromWorker(execution, out);
  const TaskRef leader = execution.leader();
  if (const auto job = jobs_.find(leader.job); job != jobs_.end()) {
    if (const TaskExtra* extra = job->second->FindExtra(leader.index); extra != nullptr && extra->not_before_ms > 0) {
      backoffs_.erase({extra->not_before_ms, leader});
    }
  }
  executions_.Erase(execution.id);
}

// The task leaves; the execution goes on for the others, or ends with its last subscriber.
void BrokerCore::Unsubscribe(Execution& execution, TaskRef task, Now now, Outbox& out) {
  const ExecutionId id = execution.id;
  const bool was_leader = execution.leader() == task;
  Job& job = *jobs_.at(task.job);
  if (execution.subscribers.size() == 1) {
    if (execution.at_worker()) StopExecution(execution, out);
    EraseExecution(execution, out);
    NoteCancelProgress(id, /*cancelled=*/true, out);
    return;
  }
  const bool queued = execution.state == ExecutionState::kQueued;
  if (was_leader && execution.at_worker()) {
    // The next one stands for it from now on, in the counts of its job and user.
    --job.in_flight;
    --running_of_user_[job.record().user];
  }
  if (was_leader) {
    TaskExtra& extra = job.Extra(task.index);
    if (extra.not_before_ms > 0) backoffs_.erase({extra.not_before_ms, task});
  }
  execution.subscribers.erase(std::find(execution.subscribers.begin(), execution.subscribers.end(), task));
  if (!was_leader) return;
  const TaskRef next = execution.leader();
  if (queued) {
    GiveBack(next, now, out);
  } else if (execution.at_worker()) {
    Job& next_job = *jobs_.at(next.job);
    ++next_job.in_flight;
    ++running_of_user_[next_job.record().user];
  }
}

void BrokerCore::NoteCancelProgress(ExecutionId execution, bool cancelled, Outbox& out) {
  for (auto it = pending_cancels_.begin(); it != pending_cancels_.end();) {
    if (it->open.erase(execution) > 0) ++(cancelled ? it->reply.cancelled : it->reply.already_final);
    if (!it->open.empty()) {
      ++it;
      continue;
    }
    out.Reply(PeerRole::kClient, it->instance, it->correlation, it->reply, /*promise=*/true);
    it = pending_cancels_.erase(it);
  }
}

}  // namespace icarus::broker
