#include "broker/core/ready_queue.h"

#include <algorithm>

#include "common/base/check.h"

namespace icarus::broker {

std::int64_t RankOf(std::int32_t priority, std::int64_t since_ms, std::int64_t aging_ms) {
  std::int64_t steps = since_ms / aging_ms;
  if (since_ms < 0 && since_ms % aging_ms != 0) --steps;
  return priority - steps;
}

void ReadyQueue::Push(std::uint32_t request_class, const std::string& user, std::int32_t priority, JobId job,
                      std::int64_t enqueued_ms) {
  Level& level = levels_[Key{request_class, user, priority}];
  level.request_class = request_class;
  level.user = user;
  level.priority = priority;
  // A job that comes back keeps its age and so its place.
  const auto later = std::find_if(level.jobs.begin(), level.jobs.end(), [&](const Level::Entry& entry) {
    return std::tie(entry.enqueued_ms, entry.job) > std::tie(enqueued_ms, job);
  });
  level.jobs.insert(later, Level::Entry{job, enqueued_ms});
  ++size_;
}

void ReadyQueue::Remove(std::uint32_t request_class, const std::string& user, std::int32_t priority, JobId job) {
  const auto it = levels_.find(Key{request_class, user, priority});
  ICARUS_CHECK(it != levels_.end());
  auto& jobs = it->second.jobs;
  const auto entry = std::find_if(jobs.begin(), jobs.end(), [&](const Level::Entry& e) { return e.job == job; });
  ICARUS_CHECK(entry != jobs.end());
  jobs.erase(entry);
  --size_;
  if (jobs.empty()) levels_.erase(it);
}

void ReadyQueue::MoveHeadToBack(Level& level) {
  level.jobs.push_back(level.jobs.front());
  level.jobs.pop_front();
}

ReadyQueue::Level* ReadyQueue::Best(std::int64_t aging_ms, const TieBreakers& ties,
                                    const std::function<bool(const Level&)>& fits) {
  Level* best = nullptr;
  std::tuple<std::int64_t, double, double, std::uint64_t> best_order;
  for (auto& [key, level] : levels_) {
    if (!fits(level)) continue;
    const auto& head = level.jobs.front();
    const std::int64_t rank = RankOf(level.priority, std::max(head.enqueued_ms, level.last_served_ms), aging_ms);
    if (best != nullptr && -rank > std::get<0>(best_order)) continue;
    const std::tuple order{-rank, ties.service(level.user), -ties.predicted_s(level.request_class), head.job.value};
    if (best == nullptr || order < best_order) {
      best = &level;
      best_order = order;
    }
  }
  return best;
}

}  // namespace icarus::broker
