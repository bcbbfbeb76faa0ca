// Why a task is where it is: one true sentence, with numbers.
#include <algorithm>
#include <cmath>

#include "broker/core/broker_core.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

std::string JobName(JobId job) { return "job " + std::to_string(job.value); }

std::string Seconds(std::int64_t ms) {
  return FormatDuration(static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000);
}

std::string ErrorOf(const std::optional<TaskError>& error) {
  return error ? std::string(TaskErrorName(error->kind)) + ": " + error->message : "for no reason that was told";
}

// "2 CPUs, 4 GiB, licence=1, gpu=a100"
std::string Wants(const RequestClass& request) {
  std::string text = Counted(static_cast<std::uint64_t>(request.resources.cpus), "CPU");
  if (request.resources.memory_bytes > 0) {
    text += ", " + FormatSize(static_cast<std::uint64_t>(request.resources.memory_bytes));
  }
  for (const auto& [name, count] : request.resources.named) text += ", " + name + "=" + std::to_string(count);
  for (const auto& [name, value] : request.require) text += ", " + name + "=" + value;
  return text;
}

}  // namespace

void BrokerCore::HandleExplain(const Caller& caller, const Explain& request, std::uint64_t correlation, Now now,
                               Outbox& out) {
  auto found = FindJob(caller, request.job);
  if (!found) return ReplyError(caller, correlation, found.error(), out);
  const Job& job = **found;
  if (request.index >= job.total()) {
    return ReplyError(
        caller, correlation,
        Error::Make(ErrorCode::kNotFound, JobName(job.id()) + " has no task " + std::to_string(request.index), "task"),
        out);
  }
  const bool ended = job.tasks_released() || IsFinal(job.StateOf(request.index));
  if (!ended) {
    ExplainReply reply = ExplainOpen(job, request.index, now);
    out.Reply(PeerRole::kClient, caller.instance, correlation, std::move(reply), /*promise=*/true);
    return;
  }
  PendingRead read{PendingRead::Kind::kExplain, correlation, caller, job.id()};
  read.asked = read.indices = {request.index};
  AskStore(std::move(read), out);
}

void BrokerCore::AnswerExplain(const PendingRead& read, const std::optional<TaskRecord>& record, Outbox& out) {
  const auto found = jobs_.find(read.job);
  if (found == jobs_.end())
    return ReplyError(read.caller, read.correlation, FindJob(read.caller, read.job).error(), out);
  ExplainReply reply = ExplainEnded(*found->second, read.indices.front(), record ? &*record : nullptr);
  out.Reply(PeerRole::kClient, read.caller.instance, read.correlation, std::move(reply), /*promise=*/true);
}

ExplainReply BrokerCore::ExplainEnded(const Job& job, TaskIndex index, const TaskRecord* record) const {
  const ResultItem item = MakeItem(job, index, record);
  const TaskSummary& task = item.task;
  ExplainReply reply{task.state, "ended", ""};
  if (task.state != TaskState::kCompleted) {
    reply.text = "it " + std::string(task.state == TaskState::kFailed ? "failed" : StateName(task.state)) + ": " +
                 ErrorOf(task.error);
    if (task.attempt > 0) reply.text += " (attempt " + std::to_string(task.attempt) + " at " + task.worker + ")";
    return reply;
  }
  switch (item.via) {
    case ResultVia::kCache:
      reply.text = "it was answered from the cache: " + item.host + " computed it at " +
                   FormatUtc(item.computed_at_ms) + " in " + FormatDuration(item.compute_s);
      return reply;
    case ResultVia::kImport:
      reply.text = "it was answered from the cache, into which it was imported: " + item.host + " computed it at " +
                   FormatUtc(item.computed_at_ms) + " in " + FormatDuration(item.compute_s);
      return reply;
    case ResultVia::kJoined:
      reply.text = "it was joined to an equal task that ran at " + task.worker + " at the same time";
      return reply;
    default: break;
  }
  reply.text = "it was computed at " + task.worker + " in " + FormatDuration(task.run_s) + ", " + WhyNotCached(job);
  return reply;
}

std::string BrokerCore::WhyNotCached(const Job& job) const {
  switch (job.spec().cache) {
    case CachePolicy::kNone: return "because --no-cache was asked for";
    case CachePolicy::kForceRefresh:
    case CachePolicy::kRefresh: return "because --refresh was asked for";
    default: break;
  }
  if (!job.cacheable) return "because results of '" + job.spec().analysis + "' are cached only with --cache";
  return "because nothing with its key was in the cache when it came to the front";
}

ExplainReply BrokerCore::ExplainOpen(const Job& job, TaskIndex index, Now now) const {
  const TaskState state = job.StateOf(index);
  if (state == TaskState::kWaiting) return {state, "waiting", ExplainHeld(job, now)};
  const TaskExtra* extra = job.FindExtra(index);
  if (extra != nullptr && extra->reading) return {state, "cache", "its value is being read from the cache"};
  const Execution* execution = extra == nullptr ? nullptr : executions_.Find(extra->execution);
  if (execution != nullptr && execution->state != ExecutionState::kQueued) {
    return ExplainExecution(*execution, {job.id(), index}, state, now);
  }
  if (extra != nullptr && extra->not_before_ms > now.monotonic_ms()) {
    return {state, "backoff",
            "it is tried again in " + Seconds(extra->not_before_ms - now.monotonic_ms()) + ": attempt " +
                std::to_string(extra->attempt) + " ended with " + ErrorOf(extra->last_error)};
  }
  if (execution != nullptr && !(execution->leader() == TaskRef{job.id(), index})) {
    return {state, "joined", "it is joined to the equal task " + FormatTask(execution->leader()) + ", which is queued"};
  }
  return ExplainQueued(job, index, state, now);
}

std::string BrokerCore::ExplainHeld(const Job& job, Now now) const {
  std::optional<JobId> failed;
  const std::vector<JobId> unmet = UnmetOf(job, failed);
  if (unmet.empty()) return "its start is delayed for another " + Seconds(StartOf(job) - now.monotonic_ms());
  const Job& first = *jobs_.at(unmet.front());
  const std::uint64_t ended = first.total() - first.unstarted() - first.Count(TaskState::kRunning);
  std::string text = "it waits for " + JobName(first.id()) + ", which is " + std::string(StateName(first.state())) +
                     " (" + std::to_string(std::min<std::uint64_t>(ended, first.total())) + " of " +
                     Counted(first.total(), "task") + " taken or ended)";
  if (unmet.size() > 1) text += ", and for " + Counted(unmet.size() - 1, "other job");
  return text;
}

ExplainReply BrokerCore::ExplainExecution(const Execution& execution, TaskRef task, TaskState state, Now now) const {
  std::string what = "it ";
  const bool leads = execution.leader() == task;
  if (!leads) what = "it is joined to the equal task " + FormatTask(execution.leader()) + ", which ";
  const char* kind = leads ? "running" : "joined";
  switch (execution.state) {
    case ExecutionState::kOrphaned: {
      const std::int64_t left = orphans_until_ms_.value_or(now.monotonic_ms()) - now.monotonic_ms();
      return {state, leads ? "orphaned" : kind,
              what + "was at worker " + execution.worker_name + " when the broker restarted; the worker has another " +
                  Seconds(left) + " to come back"};
    }
    case ExecutionState::kDispatched:
      return {state, leads ? "dispatched" : kind,
              what + "was handed to worker " + execution.worker_name + " " +
                  Seconds(now.monotonic_ms() - execution.dispatched_ms) + " ago and has not started there"};
    default: break;
  }
  std::string text = what + "has run at worker " + execution.worker_name + " for " +
                     Seconds(now.monotonic_ms() - execution.started_ms);
  if (predictor_.Known(execution.request_class)) {
    text += "; such tasks take " + FormatDuration(predictor_.Mean(execution.request_class));
  }
  if (execution.stop_as) text += "; it is being ended";
  return {state, kind, text};
}

// The first of the reasons, from the general to the special, that holds.
ExplainReply BrokerCore::ExplainQueued(const Job& job, TaskIndex index, TaskState state, Now now) const {
  const std::string solver = job.spec().solver;
  const auto& all = workers_.all();
  const auto live = std::count_if(all.begin(), all.end(), [](const auto& entry) { return !entry.second.lost; });
  if (live == 0) return {state, "no_worker", "no worker is connected; 'icarus up' starts some"};
  if (job.identity.empty()) {
    return {
        state, "no_solver",
        "none of the " + Counted(static_cast<std::uint64_t>(live), "worker") + " offers the solver '" + solver + "'"};
  }
  const RequestClass& request = classes_.Get(job.request_class);
  std::uint64_t offering = 0, fitting = 0, open = 0;
  std::string held;
  for (const auto& [instance, worker] : all) {
    if (worker.lost) continue;
    const auto mine = worker.hello.solvers.find(solver);
    if (mine == worker.hello.solvers.end() || mine->second != job.identity) continue;
    ++offering;
    if (!worker.CanEverRun(request)) continue;
    ++fitting;
    if (worker.draining) {
      held = worker.hello.name + " drains";
    } else if (!worker.gate.held_reason().empty()) {
      held = "of the machine of " + worker.hello.name + ", " + worker.gate.held_reason();
    } else {
      ++open;
    }
  }
  if (offering == 0) {
    return {state, "no_solver",
            "none of the " + Counted(static_cast<std::uint64_t>(live), "worker") + " offers " + solver + "@" +
                job.identity};
  }
  if (fitting == 0) {
    return {state, "unsatisfiable",
            "it asks for " + Wants(request) + ", which none of the " + Counted(offering, "worker") + " with " + solver +
                " has"};
  }
  if (open == 0) {
    return {state, "held", "the only workers that could run it take nothing now: " + held};
  }
  if (!MayStart(job.spec().priority)) {
    return {state, "emergency",
            "after an emergency cleanup nothing below priority " + std::to_string(config_.emergency_priority_floor) +
                " (emergency.priority_floor) starts for another " + Seconds(*rest_until_ms_ - now.monotonic_ms())};
  }
  if (!JobHasRoom(job)) {
    return {state, "max_running", Counted(job.in_flight, "task") + " of its job run, as many as --max-running allows"};
  }
  if (!UserHasRoom(job.record().user)) {
    return {state, "max_concurrent",
            job.record().user + " runs as many tasks as operations.max_concurrent allows (" +
                std::to_string(config_.max_concurrent) + ")"};
  }
  if (!ResourcesFree(request)) {
    return {state, "resources", "the cluster-wide resources that it asks for are in use: " + Wants(request)};
  }
  return ExplainPlace(job, index, state);
}

ExplainReply BrokerCore::ExplainPlace(const Job& job, TaskIndex index, TaskState state) const {
  const std::uint64_t ahead = TasksAhead(job, index);
  std::int64_t slots = 0;
  std::uint64_t busy = 0;
  const RequestClass& request = classes_.Get(job.request_class);
  for (const auto& [instance, worker] : workers_.all()) {
    if (!worker.takes_work() || !worker.CanEverRun(request)) continue;
    slots += worker.hello.slots / request.resources.cpus;
    busy += worker.assigned.size();
  }
  std::string text = "it is behind " + Counted(ahead, "other task") + " in the queue, and " + Counted(busy, "task") +
                     " at the workers that could run it (" + Counted(static_cast<std::uint64_t>(slots), "slot") + ")";
  if (predictor_.Known(job.request_class) && slots > 0) {
    const double rounds = static_cast<double>(ahead + busy) / static_cast<double>(slots);
    text += "; at " + FormatDuration(predictor_.Mean(job.request_class)) + " a task it starts in about " +
            FormatDuration(rounds * predictor_.Mean(job.request_class));
  } else {
    text += "; when it starts cannot be told before the first of its kind has ended";
  }
  return {state, "queued", text};
}

// True when some worker could run tasks of both jobs.
bool BrokerCore::Compete(const JobBrief& a, const JobBrief& b) const {
  if (!a.identified || !b.identified) return false;
  const auto& all = workers_.all();
  return std::any_of(all.begin(), all.end(), [&](const auto& entry) {
    const WorkerState& worker = entry.second;
    return !worker.lost && !worker.draining && worker.CanEverRun(classes_.Get(a.request_class)) &&
           worker.CanEverRun(classes_.Get(b.request_class));
  });
}

// Ready tasks that come first, as the ready queue orders them now.
std::uint64_t BrokerCore::TasksAhead(const Job& job, TaskIndex index) const {
  std::uint64_t ahead = 0;
  const JobBrief own = BriefOf(job);
  const std::int64_t own_rank = RankOf(own.priority, own.enqueued_ms, config_.aging_ms);
  for (const auto& [id, slot] : jobs_.slots()) {
    const JobBrief other = jobs_.BriefOf(slot);
    if (id == job.id() || other.finished || other.held || !Compete(own, other)) continue;
    const std::int64_t rank = RankOf(other.priority, other.enqueued_ms, config_.aging_ms);
    if (rank > own_rank || (rank == own_rank && id < job.id())) ahead += other.ready;
  }
  if (job.returned().contains(index)) return ahead;
  for (TaskIndex before = 0; before < index; ++before) {
    if (job.IsReady(before)) ++ahead;
  }
  return ahead;
}

}  // namespace icarus::broker
