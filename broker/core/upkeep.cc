// Upkeep: every so often by itself, on demand, and in an emergency.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

constexpr std::int64_t kRestMs = 60'000;      // after an emergency, before anything below its floor starts
constexpr std::int64_t kPatienceMs = 30'000;  // with workers that are asked to end something
constexpr std::uint64_t kNobody = 0;          // the ticket of what nobody waits for

}  // namespace

void BrokerCore::HandleUpkeep(const Caller& caller, const Upkeep& request, std::uint64_t correlation, Now now,
                              Outbox& out) {
  if (!caller.admin) {
    const char* what = request.emergency ? "clean up in an emergency" : "run the maintenance";
    return ReplyError(caller, correlation, OnlyAnAdminMay(what), out);
  }
  TendCache(now, out);
  ExpireJobs(now, out);
  PendingUpkeep upkeep{caller.instance, correlation, now.monotonic_ms() + kPatienceMs, CloseUpkeepPeriod(), {}, true};
  ReleaseMemory release{++last_ticket_, request.emergency, false};
  if (request.emergency) {
    release.clear = !storage_reason_.empty();  // the disk is full
    if (release.clear) upkeep.reply.cache_cleared = cache_.Clear() + values_.Clear();
    ++cache_generation_;
    rest_until_ms_ = now.monotonic_ms() + kRestMs;
    upkeep.open = StopBelowFloor(now, out);
    TellCache("emergency_cleanup",
              Counted(upkeep.open.size(), "task") + " asked back, " +
                  Counted(upkeep.reply.cache_cleared, "stored value") + " removed",
              now, out);
  }
  pending_upkeeps_.emplace(release.ticket, std::move(upkeep));
  out.Push(release);
}

// What the upkeep that goes on by itself has done since this was asked last.
UpkeepReply BrokerCore::CloseUpkeepPeriod() {
  UpkeepReply reply;
  reply.expired = cache_.counters.expirations - std::exchange(expirations_told_, cache_.counters.expirations);
  reply.tasks_cleaned = std::exchange(tasks_cleaned_, 0);
  return reply;
}

// Low priority, and not much is lost; whatever a task forbids is not done to it.
bool BrokerCore::MayBeStopped(const Execution& execution, const std::set<JobId>& awaited, Now now) const {
  if (!execution.at_worker() || execution.stop_as || execution.asked_back) return false;
  if (execution.state == ExecutionState::kStarted &&
      now.monotonic_ms() - execution.started_ms > config_.emergency_max_lost_ms) {
    return false;
  }
  return std::all_of(execution.subscribers.begin(), execution.subscribers.end(), [&](TaskRef task) {
    const JobSpec& spec = jobs_.at(task.job)->spec();
    return spec.priority < config_.emergency_priority_floor && !spec.no_restart && !awaited.contains(task.job);
  });
}

// Jobs that one above the floor is held for, directly or by others that it is held for.
std::set<JobId> BrokerCore::AwaitedAboveFloor() const {
  std::vector<JobId> waiting;
  for (const auto& [upstream, dependents] : dependents_) {
    for (const JobId id : dependents) {
      const auto slot = jobs_.slots().find(id);
      if (slot == jobs_.slots().end()) continue;
      const JobBrief brief = jobs_.BriefOf(slot->second);
      if (brief.held && !brief.finished && brief.priority >= config_.emergency_priority_floor) waiting.push_back(id);
    }
  }
  std::set<JobId> awaited;
  while (!waiting.empty()) {
    const JobId id = waiting.back();
    waiting.pop_back();
    const auto job = jobs_.find(id);
    if (job == jobs_.end() || !job->second->held()) continue;
    for (const JobId upstream : UpstreamsOf(*job->second)) {
      if (awaited.insert(upstream).second) waiting.push_back(upstream);
    }
  }
  return awaited;
}

// Asks the workers for them, least invested first.
std::map<ExecutionId, BrokerCore::Asked> BrokerCore::StopBelowFloor(Now now, Outbox& out) {
  const std::set<JobId> awaited = AwaitedAboveFloor();
  std::vector<Execution*> stopped;
  for (const ExecutionId id : executions_.Ids()) {
    Execution* execution = executions_.Find(id);
    if (MayBeStopped(*execution, awaited, now)) stopped.push_back(execution);
  }
  const auto invested_since = [now](const Execution* execution) {
    return execution->state == ExecutionState::kStarted ? execution->started_ms : now.monotonic_ms() + 1;
  };
  std::stable_sort(stopped.begin(), stopped.end(),
                   [&](const Execution* a, const Execution* b) { return invested_since(a) > invested_since(b); });
  std::map<ExecutionId, Asked> open;
  std::map<std::string, StopExecutions> orders;
  for (Execution* execution : stopped) {
    execution->asked_back = true;
    orders[execution->instance].executions.push_back(execution->id);
    open[execution->id] = {execution->token, execution->instance, execution->state == ExecutionState::kStarted};
  }
  for (auto& [instance, order] : orders) out.Reply(PeerRole::kWorker, instance, 0, std::move(order), /*promise=*/true);
  return open;
}

bool BrokerCore::MayStart(std::int32_t priority) const {
  return !rest_until_ms_ || priority >= config_.emergency_priority_floor;
}

void BrokerCore::OnMemoryReleased(std::uint64_t ticket, std::uint64_t blocks, std::uint64_t bytes, Outbox& out) {
  if (ticket == kNobody) {
    const UpkeepReply done = CloseUpkeepPeriod();
    return out.Log("maintenance", {{"expired", std::to_string(done.expired)},
                                   {"tasks_cleaned", std::to_string(done.tasks_cleaned)},
                                   {"bytes_freed", std::to_string(bytes)}});
  }
  const auto found = pending_upkeeps_.find(ticket);
  if (found == pending_upkeeps_.end()) return;
  found->second.releasing = false;
  found->second.reply.cache_cleared += blocks;
  found->second.reply.bytes_freed += bytes;
}

// An execution that is there and not at the worker as it was has come back; one that is not there has ended otherwise.
void BrokerCore::NoteReturned(PendingUpkeep& upkeep) {
  std::erase_if(upkeep.open, [&](const auto& asked) {
    const Execution* execution = executions_.Find(asked.first);
    if (execution != nullptr && execution->token == asked.second.token && execution->at_worker()) return false;
    if (execution == nullptr) return true;
    upkeep.reply.requeued += execution->subscribers.size();
    const WorkerState* worker = workers_.Find(asked.second.worker);
    const bool told = worker != nullptr && !worker->lost;  // one that is lost may run it still
    if (asked.second.ran && told) ++upkeep.reply.stopped;
    return true;
  });
}

void BrokerCore::TendUpkeep(Now now, Outbox& out) {
  const std::int64_t time = now.monotonic_ms();
  if (rest_until_ms_ && *rest_until_ms_ <= time) {
    rest_until_ms_.reset();
    schedule_needed_ = true;
  }
  for (auto it = pending_upkeeps_.begin(); it != pending_upkeeps_.end();) {
    PendingUpkeep& upkeep = it->second;
    NoteReturned(upkeep);
    const bool waits = upkeep.releasing || !upkeep.open.empty();
    if (waits && time < upkeep.until_ms) {
      ++it;
      continue;
    }
    out.Reply(PeerRole::kClient, upkeep.instance, upkeep.correlation, upkeep.reply);  // also while the disk is full
    it = pending_upkeeps_.erase(it);
  }
  if (!maintained_ms_) maintained_ms_ = time;
  if (time - *maintained_ms_ < config_.maintenance_interval_ms) return;
  maintained_ms_ = time;
  out.Push(ReleaseMemory{kNobody, false, false});
}

std::optional<std::int64_t> BrokerCore::NextUpkeepMs() const {
  std::optional<std::int64_t> next;
  if (maintained_ms_) next = *maintained_ms_ + config_.maintenance_interval_ms;
  if (rest_until_ms_) next = std::min(next.value_or(*rest_until_ms_), *rest_until_ms_);
  for (const auto& [ticket, upkeep] : pending_upkeeps_)
    next = std::min(next.value_or(upkeep.until_ms), upkeep.until_ms);
  return next;
}

}  // namespace icarus::broker
