#include "tests/sim/oracle.h"

#include <algorithm>

namespace icarus::sim {
namespace {

// waiting, pending, running, completed, failed, timed_out, cancelled
constexpr const char* kNames[] = {"waiting", "pending", "running", "completed", "failed", "timed_out", "cancelled"};
const char* Name(TaskState state) { return kNames[static_cast<int>(state)]; }

std::string Text(TaskRef task) { return std::to_string(task.job.value) + "." + std::to_string(task.index); }

}  // namespace

std::string ExpectedBody(const std::string& analysis, const std::string& target, const ValueMap& params) {
  std::string text = analysis + "|" + target + "|";
  AppendCanonical(text, params);
  return text;
}

std::uint64_t Oracle::TotalOf(const StoredJob& job) const {
  const auto count = job.record.spec.sweep.Count();
  return count ? *count : 0;
}

TaskState Oracle::StateOf(const StoredJob& job, TaskIndex index) const {
  const auto record = job.tasks.find(index);
  const bool closed = job.status && job.status->remainder && job.status->closed;
  if (record != job.tasks.end() && (IsEnd(record->second.state) || !closed)) return record->second.state;
  if (job.status && job.status->remainder) {
    // What is at a worker, or joined, when the rest ends has no record of its own: it is still open.
    for (const auto& [id, dispatch] : durable_.dispatches) {
      for (const auto& task : dispatch.tasks) {
        if (task.job == job.record.job && task.index == index) return TaskState::kPending;
      }
    }
    return *job.status->remainder;
  }
  return TaskState::kPending;
}

void Oracle::BeforeBatch(const broker::RecordBatch& batch) {
  before_.clear();
  std::set<JobId> touched;
  for (const broker::Record& record : batch.records) {
    if (const auto* put = std::get_if<broker::PutTask>(&record)) touched.insert(put->task.job);
    if (const auto* put = std::get_if<broker::PutJobStatus>(&record)) touched.insert(put->status.job);
    if (const auto* gone = std::get_if<broker::DeleteTask>(&record)) touched.insert(gone->task.job);
  }
  for (const JobId id : touched) {
    const auto job = durable_.jobs.find(id);
    if (job == durable_.jobs.end()) continue;
    for (TaskIndex index = 0; index < TotalOf(job->second); ++index) {
      before_[{id, index}] = StateOf(job->second, index);
    }
  }
  for (const broker::Record& record : batch.records) {
    if (const auto* gone = std::get_if<broker::DeleteJob>(&record)) OnExpired(gone->job);
    if (const auto* dispatch = std::get_if<broker::PutDispatch>(&record)) {
      for (const auto& task : dispatch->dispatch.tasks) latest_token_ = std::max(latest_token_, task.token.value);
    }
    const auto* put = std::get_if<broker::PutTask>(&record);
    if (put == nullptr || put->record.state != TaskState::kCompleted) continue;
    if (++completions_[put->task] > 1) Fail("task " + Text(put->task) + " has two recorded results");
  }
}

void Oracle::OnExpired(JobId id) {
  ++checks_;
  expired_.insert(id);
  const auto job = durable_.jobs.find(id);
  for (TaskIndex index = 0; job != durable_.jobs.end() && index < TotalOf(job->second); ++index) {
    if (!IsEnd(StateOf(job->second, index))) Fail("job " + std::to_string(id.value) + " expired before its end");
  }
}

// A job that it waits for was retried, or one that that waits for.
bool Oracle::UpstreamRetried(JobId id) const {
  const auto job = durable_.jobs.find(id);
  if (job == durable_.jobs.end()) return false;
  for (const JobId upstream : job->second.record.spec.after) {
    const auto first = retries_.lower_bound({upstream, 0});
    if ((first != retries_.end() && first->first.job == upstream && first->second > 0) || UpstreamRetried(upstream)) {
      return true;
    }
  }
  return false;
}

void Oracle::CheckTransition(TaskRef task, TaskState from, TaskState to) {
  ++checks_;
  if (from == to) return;
  if (from == TaskState::kCompleted) Fail("task " + Text(task) + " left completed for " + Name(to));
  if (!IsEnd(from)) return;
  if (IsEnd(to)) {
    // One that was open within an ended remainder may end in another way than the rest.
    const auto& status = durable_.jobs.at(task.job).status;
    if (status && status->remainder && from == *status->remainder) return;
    // Reopened and ended again within one batch.
    if (from != TaskState::kCompleted && (reopenings_[task] < retries_[task] || UpstreamRetried(task.job))) {
      ++reopenings_[task];
      return;
    }
    Fail("task " + Text(task) + " went from " + Name(from) + " to " + Name(to));
    return;
  }
  // A task that is still being ended can look ended on disk, with the rest of its job; what counts is what was shown.
  if (!shown_.contains(task)) return;
  shown_.erase(task);
  if (++reopenings_[task] > retries_[task] && !UpstreamRetried(task.job))
    Fail("task " + Text(task) + " was reopened though nobody asked for it");
}

void Oracle::AfterBatch() {
  for (const auto& [task, state] : before_) {
    const auto job = durable_.jobs.find(task.job);
    if (job != durable_.jobs.end()) CheckTransition(task, state, StateOf(job->second, task.index));
  }
  highest_sequence_ = std::max(highest_sequence_, durable_.sequence);
}

void Oracle::OnRecovered(std::uint64_t sequence) {
  last_token_.clear();  // what was decided and did not become durable never was
  for (const auto& [id, record] : durable_.dispatches) NoteTokens(record);
  starvation_.OnBrokerStarted();
  if (sequence < highest_sequence_) Fail("the store went back to batch " + std::to_string(sequence));
}

void Oracle::OnSubmitted(const std::string& id, JobId job, std::uint64_t tasks) {
  ++checks_;
  const auto known = submitted_.find(id);
  if (known != submitted_.end() && known->second != job) Fail("submission " + id + " became two jobs");
  submitted_[id] = job;
  tasks_[job] = tasks;
  if (!durable_.jobs.contains(job) && !expired_.contains(job))
    Fail("job " + std::to_string(job.value) + " was acknowledged before it was durable");
}

void Oracle::OnCancelled(JobId job, const std::vector<TaskIndex>& tasks, std::uint64_t cancelled) {
  ++checks_;
  const auto stored = durable_.jobs.find(job);
  if (stored == durable_.jobs.end()) return;
  std::uint64_t ended = 0;
  for (TaskIndex index = 0; index < TotalOf(stored->second); ++index) {
    const bool named = tasks.empty() || std::find(tasks.begin(), tasks.end(), index) != tasks.end();
    if (named && (IsEnd(StateOf(stored->second, index)) || retries_[{job, index}] > 0)) ++ended;
  }
  if (ended < cancelled) Fail("a cancel of job " + std::to_string(job.value) + " was answered before it was durable");
}

void Oracle::OnRetryAsked(JobId job, const std::vector<TaskIndex>& tasks) {
  const auto stored = durable_.jobs.find(job);
  if (stored == durable_.jobs.end()) return;
  for (TaskIndex index = 0; index < TotalOf(stored->second); ++index) {
    if (tasks.empty() || std::find(tasks.begin(), tasks.end(), index) != tasks.end()) ++retries_[{job, index}];
  }
  // What failed because of it comes back too, and what failed because of that.
  for (const auto& [id, dependent] : durable_.jobs) {
    const auto& after = dependent.record.spec.after;
    if (id > job && std::find(after.begin(), after.end(), job) != after.end()) OnRetryAsked(id, {});
  }
}

void Oracle::OnTaskSeen(const std::string& user, JobId job, const TaskSummary& task) {
  ++checks_;
  const TaskRef ref{job, task.index};
  if (task.state == TaskState::kCompleted) {
    seen_completed_.insert({user, ref});
  } else if (seen_completed_.contains({user, ref})) {
    Fail("task " + Text(ref) + " was shown as completed and then as " + Name(task.state));
  }
  if (!IsEnd(task.state)) return;
  shown_[ref] = task.state;
  const auto stored = durable_.jobs.find(job);
  if (stored == durable_.jobs.end() || retries_[ref] > 0) return;
  if (StateOf(stored->second, task.index) != task.state) {
    Fail("task " + Text(ref) + " was shown as " + Name(task.state) + ", on disk it is " +
         Name(StateOf(stored->second, task.index)));
  }
}

void Oracle::OnResultSeen(const std::string& user, JobId job, const ResultItem& item, const Body& body) {
  OnTaskSeen(user, job, item.task);
  if (item.task.state != TaskState::kCompleted) return;
  const auto stored = durable_.jobs.find(job);
  if (stored == durable_.jobs.end()) return;
  const TaskRef ref{job, item.task.index};
  const std::string& analysis = stored->second.record.spec.analysis;
  if (analysis == "noop") return;
  const std::string expected = ExpectedBody(analysis, item.task.target, item.task.params);
  ++checks_;
  if (!body || *body != expected)
    Fail("task " + Text(ref) + " has a result that is not its own: " + (body ? *body : "none"));
}

void Oracle::OnJobSeen(const JobSummary& job) {
  ++checks_;
  std::uint64_t sum = 0;
  for (const std::uint64_t count : job.counts) sum += count;
  if (sum != job.total) Fail("the counts of job " + std::to_string(job.job.value) + " do not add up");
  const auto count = [&](TaskState state) {
    const auto at = static_cast<std::size_t>(state);
    return at < job.counts.size() ? job.counts[at] : 0;
  };
  // A failure is answered from the cache too.
  if (job.cached > count(TaskState::kCompleted) + count(TaskState::kFailed)) {
    Fail("job " + std::to_string(job.job.value) + " has more hits than tasks that ended so");
  }
}

// Everything that the job waits for has happened.
void Oracle::CheckDependencies(JobId id) {
  const auto stored = durable_.jobs.find(id);
  if (stored == durable_.jobs.end()) return;
  for (const JobId upstream : stored->second.record.spec.after) {
    const auto job = durable_.jobs.find(upstream);
    for (TaskIndex index = 0; job != durable_.jobs.end() && index < TotalOf(job->second); ++index) {
      ++checks_;
      if (StateOf(job->second, index) == TaskState::kCompleted) continue;
      Fail("job " + std::to_string(id.value) + " runs, but " + Text({upstream, index}) + " has not completed");
    }
  }
}

void Oracle::OnDispatched(const std::string& instance, const DispatchGroup& group, const DispatchTask& task) {
  ++checks_;
  CheckDependencies(group.job);
  for (const auto& [id, record] : durable_.dispatches) {
    if (record.worker_instance != instance) continue;
    for (const auto& one : record.tasks) {
      if (one.execution == task.execution && one.token == task.token) return;
    }
  }
  // A record goes when its tasks have ended or were taken back; the message may come late.
  const bool known = durable_.jobs.contains(group.job) || expired_.contains(group.job);
  if (known && task.token.value <= latest_token_) return;
  Fail("task " + Text({group.job, task.index}) + " was handed to a worker before that was durable");
}

void Oracle::OnDispatchDecided(const broker::DispatchRecord& record, std::int64_t now_ms) {
  ++checks_;
  NoteTokens(record);
  if (const std::string wrong = starvation_.OnDispatch(record, now_ms, cancel_asked_); !wrong.empty()) Fail(wrong);
}

void Oracle::NoteTokens(const broker::DispatchRecord& record) {
  for (const auto& task : record.tasks) last_token_[task.execution] = task.token;
}

void Oracle::OnResultTaken(const ExecutionResult& result, bool refused) {
  ++checks_;
  const auto last = last_token_.find(result.execution);
  if (refused || last == last_token_.end() || last->second == result.token) return;
  Fail("a result of execution " + std::to_string(result.execution.value) + " with a stale token was taken");
}

void Oracle::OnResultSent(ExecutionId execution, TaskRef task, TaskState outcome) {
  if (outcome == TaskState::kCompleted) {
    sent_results_[execution] = task;
  } else {
    sent_results_.erase(execution);  // of a later dispatch of the same execution
  }
}

void Oracle::OnResultAcknowledged(ExecutionId execution) {
  const auto sent = sent_results_.find(execution);
  if (sent == sent_results_.end() || refused_.contains(execution)) return;
  ++checks_;
  const auto job = durable_.jobs.find(sent->second.job);
  if (job == durable_.jobs.end() || IsEnd(StateOf(job->second, sent->second.index))) return;
  if (retries_[sent->second] > 0) return;
  Fail("the result of task " + Text(sent->second) + " was acknowledged before it was durable");
}

void Oracle::OnAttemptStarted(TaskRef task, const std::string& instance) { holders_[task].insert(instance); }

void Oracle::OnAttemptEnded(TaskRef task, const std::string& instance, bool completed) {
  holders_[task].erase(instance);
  if (completed) ++completed_runs_[task];
}

void Oracle::CheckSingleHolders() {
  for (const auto& [task, instances] : holders_) {
    ++checks_;
    if (instances.size() > 1) Fail("task " + Text(task) + " runs at " + std::to_string(instances.size()) + " workers");
  }
}

void Oracle::AtEnd(bool single_runs) {
  for (const auto& [id, job] : submitted_) {
    const auto stored = durable_.jobs.find(job);
    if (expired_.contains(job)) continue;
    if (stored == durable_.jobs.end()) {
      Fail("job " + std::to_string(job.value) + " was acknowledged and is gone");
      continue;
    }
    for (TaskIndex index = 0; index < tasks_[job]; ++index) {
      ++checks_;
      const TaskState state = StateOf(stored->second, index);
      if (!IsEnd(state)) Fail("task " + Text({job, index}) + " never ended: it is " + Name(state));
    }
  }
  if (!durable_.dispatches.empty()) Fail("a record of a dispatch is left over");
  for (const auto& [task, runs] : completed_runs_) {
    // What its owner ended, or began again, may have run before.
    if (expired_.contains(task.job)) continue;
    const broker::JobRecord& record = durable_.jobs.at(task.job).record;
    const bool ended_early =
        cancel_asked_.contains(task.job) || record.spec.deadline_ms > 0 || record.spec.max_fails >= 0;
    const auto retries = retries_.find(task);
    if (ended_early || (retries != retries_.end() && retries->second > 0)) continue;
    if (single_runs && runs > 1) Fail("task " + Text(task) + " ran to its end " + std::to_string(runs) + " times");
  }
}

}  // namespace icarus::sim
