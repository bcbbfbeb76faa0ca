// Jobs that wait: for other jobs, or for their time.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

std::string NameOf(JobId job) { return "job " + std::to_string(job.value); }

// `upstream` is null where nothing is known of it.
TaskError DependencyFailed(JobId id, const Job* upstream) {
  TaskError error;
  error.kind = TaskErrorKind::kDependencyFailed;
  error.message = NameOf(id) + ", which it waits for (--after), " +
                  (upstream == nullptr ? "is not kept any more; submit both again"
                                       : "ended as " + std::string(StateName(upstream->state())));
  return error;
}

}  // namespace

Status BrokerCore::CheckDependencies(const Caller& caller, const JobSpec& spec) {
  if (spec.after.size() + spec.after_any.size() > limits::kMaxAfter) {
    return UsageError("a job waits for at most " + std::to_string(limits::kMaxAfter) + " others", "after");
  }
  for (const auto* list : {&spec.after, &spec.after_any}) {
    for (const JobId id : *list) {
      if (auto found = FindJob(caller, id); !found) {
        Error error = std::move(found).error();
        error.field = "after";
        return error;
      }
    }
  }
  return CheckAwaited(caller, spec);
}

std::set<JobId> BrokerCore::UpstreamsOf(const Job& job) {
  const JobSpec& spec = job.spec();
  std::set<JobId> upstreams(spec.after.begin(), spec.after.end());
  upstreams.insert(spec.after_any.begin(), spec.after_any.end());
  if (!spec.command) return upstreams;
  for (const AwaitedInput& awaited : spec.command->awaited) upstreams.insert(awaited.job);
  return upstreams;
}

void BrokerCore::NoteDependencies(const Job& job) {
  for (const JobId upstream : UpstreamsOf(job)) dependents_[upstream].insert(job.id());
  if (job.held() && job.spec().delay_ms > 0) delayed_starts_.insert({StartOf(job), job.id()});
}

std::int64_t BrokerCore::StartOf(const Job& job) { return job.record().enqueued_ms + job.spec().delay_ms; }

// Of the jobs that it waits for, those that have not ended; or the first that ended otherwise than it may.
std::vector<JobId> BrokerCore::UnmetOf(const Job& job, std::optional<JobId>& failed) const {
  std::vector<JobId> unmet;
  const auto look = [&](JobId id, bool must_complete) {
    const auto upstream = jobs_.find(id);
    if (upstream == jobs_.end()) {  // retention keeps what is waited for: lost with a damaged store
      if (must_complete && !failed) failed = id;
    } else if (!upstream->second->finished()) {
      unmet.push_back(id);
    } else if (must_complete && upstream->second->state() != TaskState::kCompleted && !failed) {
      failed = id;
    }
  };
  for (const JobId id : job.spec().after) look(id, true);
  for (const JobId id : job.spec().after_any) look(id, false);
  if (!job.spec().command) return unmet;
  for (const AwaitedInput& awaited : job.spec().command->awaited) {
    if (HasOpenInput(awaited)) unmet.push_back(awaited.job);
  }
  return unmet;
}

// Lets the job go when there is nothing left that it waits for, and ends it when that cannot come.
void BrokerCore::SettleHeldJob(Job& job, Now now, Outbox& out) {
  if (!job.held() || job.finished()) return;
  std::optional<JobId> failed;
  const std::vector<JobId> unmet = UnmetOf(job, failed);
  if (failed) {
    const auto upstream = jobs_.find(*failed);
    const Job* known = upstream == jobs_.end() ? nullptr : upstream->second.get();
    EndReady(job, TaskState::kFailed, DependencyFailed(*failed, known), now, out);
    return;
  }
  if (!unmet.empty() || StartOf(job) > now.monotonic_ms() || AskForInput(job, out)) return;
  DisarmJobTimers(job);
  job.Release();
  job.enqueued_ms = now.monotonic_ms();
  ArmJobTimers(job);
  out.Write(PutJobStatus{job.StatusRecord()});
  TellJob("job_released", job, "", now, out);
  out.Log("job released", {{"job", std::to_string(job.id().value)}});
  Resolve(job, out);
  Touch(job);
}

// What ended in this turn, and what waited for it, and what waited for that.
void BrokerCore::SettleDependents(Now now, Outbox& out) {
  while (!ended_jobs_.empty()) {
    const JobId upstream = ended_jobs_.front();
    ended_jobs_.pop_front();
    const auto dependents = dependents_.find(upstream);
    if (dependents == dependents_.end()) continue;
    const std::set<JobId> waiting = dependents->second;
    for (const JobId id : waiting) {
      if (const auto job = jobs_.find(id); job != jobs_.end()) SettleHeldJob(*job->second, now, out);
    }
  }
  while (!delayed_starts_.empty() && delayed_starts_.begin()->first <= now.monotonic_ms()) {
    const JobId id = delayed_starts_.begin()->second;
    delayed_starts_.erase(delayed_starts_.begin());
    if (const auto job = jobs_.find(id); job != jobs_.end()) SettleHeldJob(*job->second, now, out);
  }
}

// The job is being retried: what failed because of it waits for it again.
void BrokerCore::ReopenDependents(const Job& upstream, Outbox& out) {
  const auto dependents = dependents_.find(upstream.id());
  if (dependents == dependents_.end()) return;
  for (const JobId id : dependents->second) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || !found->second->held() || !found->second->finished()) continue;
    PendingRead read{PendingRead::Kind::kReopen, 0, {}, id};
    read.job_retries = found->second->retries;
    for (TaskIndex index = 0; index < found->second->total(); ++index) read.asked.push_back(index);
    AskStore(std::move(read), out);
  }
}

void BrokerCore::ReopenHeldJob(const PendingRead& read, const std::vector<std::optional<TaskRecord>>& records, Now now,
                               Outbox& out) {
  const auto found = jobs_.find(read.job);
  if (found == jobs_.end() || found->second->retries != read.job_retries) return;
  Job& job = *found->second;
  if (!job.held() || !job.tasks_released()) return;
  ReloadTasks(job, read, records);
  Retry request;
  for (TaskIndex index = 0; index < job.total(); ++index) {
    const std::optional<TaskRecord>& record = records[index];
    const bool by_itself = record && IsFinal(record->state);
    const std::optional<TaskError>& error = by_itself ? record->error : job.remainder_error();
    if (error && error->kind == TaskErrorKind::kDependencyFailed) request.tasks.push_back(index);
  }
  if (!request.tasks.empty()) RetryTasks(job, request, KnownRecords(read, records), now, out);
  if (job.finished()) job.ReleaseTasks();
}

}  // namespace icarus::broker
