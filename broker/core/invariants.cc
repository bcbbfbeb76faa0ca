// Every cross-reference of the core's state, for tests.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace icarus::broker {
namespace {

std::string CheckCounts(const Job& job) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : job.counts()) sum += count;
  if (sum != job.total()) return "counts do not add up";
  if (job.tasks_released()) return job.finished() ? "" : "tasks released before the end";
  StateCounts counts{};
  for (TaskIndex index = 0; index < job.total(); ++index) ++counts[static_cast<std::size_t>(job.StateOf(index))];
  return counts == job.counts() ? "" : "counts differ from the states";
}

}  // namespace

std::string BrokerCore::WhatIsLeft() const {
  std::string left;
  const auto note = [&left](const char* what, std::uint64_t count) {
    if (count > 0) left += (left.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  };
  note("open tasks", admission_.tasks());
  note("executions", executions_.size());
  note("jobs in the queue", ready_.size());
  note("backoffs", backoffs_.size());
  note("orphans", orphans_.size());
  note("pending reads", pending_reads_.size());
  note("pending cancels", pending_cancels_.size());
  note("cache readers", cache_waiters_.size());
  note("values asked for", pending_values_.size());
  note("queue timeouts", queue_timeouts_.size());
  note("deadlines", job_deadlines_.size());
  note("unresolved jobs", unresolved_.size());
  std::uint64_t running = 0;
  for (const auto& [user, count] : running_of_user_) running += count;
  note("running tasks of users", running);
  std::uint64_t used = 0;
  for (const auto& [name, count] : cluster_used_) used += static_cast<std::uint64_t>(count);
  note("cluster resources in use", used);
  return left;
}

std::string BrokerCore::CheckJob(const Job& job) const {
  if (std::string wrong = CheckCounts(job); !wrong.empty()) return wrong;
  if (job.finished() && job.in_queue) return "finished, but in the queue";
  if (!job.finished() && !job.identity.empty() && job.ready() > 0 && !job.in_queue) {
    return "has ready tasks, but is not in the queue";
  }
  std::uint64_t at_workers = 0;
  for (const auto& [index, extra] : job.extras()) {
    if (!extra.execution) continue;
    const Execution* execution = executions_.Find(extra.execution);
    if (execution == nullptr) return "task " + std::to_string(index) + " subscribes to nothing";
    const auto& all = execution->subscribers;
    if (std::find(all.begin(), all.end(), TaskRef{job.id(), index}) == all.end()) return "a subscription is one-sided";
    if (execution->at_worker() && execution->leader() == TaskRef{job.id(), index}) ++at_workers;
  }
  return at_workers == job.in_flight ? "" : "in flight is miscounted";
}

// The same of one that is packed, by its brief: nothing can be wrong with tasks that it does not have.
std::string BrokerCore::CheckPacked(const JobBrief& brief) {
  if (brief.finished) return brief.in_queue ? "finished, but in the queue" : "";
  return brief.identified && !brief.in_queue ? "has ready tasks, but is not in the queue" : "";
}

std::string BrokerCore::CheckInvariants() const {
  std::uint64_t open = 0;
  std::map<std::string, std::uint64_t> open_of_user;
  std::string wrong;
  for (const auto& [id, slot] : jobs_.slots()) {
    if (jobs_.IsPacked(id)) {
      const JobBrief brief = jobs_.BriefOf(slot);
      open += brief.ready;
      open_of_user[*brief.user] += brief.ready;
      wrong = CheckPacked(brief);
      if (!wrong.empty()) return "job " + std::to_string(id.value) + ": " + wrong;
      continue;
    }
    jobs_.Peek(slot, [&](const Job& job) {
      const std::uint64_t of_job = job.total() - job.Count(TaskState::kCompleted) - job.Count(TaskState::kFailed) -
                                   job.Count(TaskState::kTimedOut) - job.Count(TaskState::kCancelled);
      open += of_job;
      open_of_user[job.record().user] += of_job;
      wrong = CheckJob(job);
    });
    if (!wrong.empty()) return "job " + std::to_string(id.value) + ": " + wrong;
  }
  if (open != admission_.tasks()) return "open tasks are miscounted";
  for (const auto& [user, count] : open_of_user) {
    if (count != admission_.tasks_of(user)) return "open tasks of " + user + " are miscounted";
  }
  for (const ExecutionId id : executions_.Ids()) {
    const Execution& execution = *executions_.Find(id);
    const std::string name = "execution " + std::to_string(id.value) + ": ";
    if (execution.subscribers.empty()) return name + "no subscriber";
    for (const TaskRef task : execution.subscribers) {
      const Job& job = *jobs_.at(task.job);
      const TaskExtra* extra = job.FindExtra(task.index);
      if (extra == nullptr || extra->execution != id) return name + "a subscriber does not know it";
      if (IsFinal(job.StateOf(task.index))) return name + "a subscriber is final";
    }
    const auto worker = workers_.all().find(execution.instance);
    const bool assigned = worker != workers_.all().end() && worker->second.assigned.contains(id);
    if (execution.at_worker() != assigned) return name + "the worker's list differs";
  }
  for (const auto& [instance, worker] : workers_.all()) {
    std::int64_t cpus = 0;
    for (const ExecutionId id : worker.assigned) {
      const Execution* execution = executions_.Find(id);
      if (execution == nullptr) return "worker " + worker.hello.name + " holds an execution that is gone";
      cpus += classes_.Get(execution->request_class).resources.cpus;
    }
    if (cpus != worker.cpus_used) return "worker " + worker.hello.name + ": slots are miscounted";
  }
  std::size_t watched = 0;
  for (const auto& [instance, session] : clients_) watched += session.watches.size();
  if (watched != watches_.size()) return "watches are miscounted";
  return "";
}

}  // namespace icarus::broker
