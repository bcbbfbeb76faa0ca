// The ready queue: which job gives the next task. Holds jobs, not tasks: a job of a million tasks is one entry.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "common/model/ids.h"

namespace icarus::broker {

// Jobs in levels of (class, user, priority), first in first out within a level. The best level is the one with the
// highest
//   rank = priority − floor(max(enqueued of its head, last served) / aging),
// which does not change with time, so nothing is ever sorted again; then the user who was served least; then the class
// that is predicted to run longest (unknown: longest of all); then the order of submission. Consequence: a task starts
// within aging · (Δpriority + 1) of the moment at which the first of a higher level did.
class ReadyQueue {
 public:
  struct Level {
    std::uint32_t request_class = 0;
    std::string user;
    std::int32_t priority = 0;
    std::int64_t last_served_ms = 0;
    struct Entry {
      JobId job;
      std::int64_t enqueued_ms = 0;
    };
    std::deque<Entry> jobs;
  };

  // Orders users and classes that tie; both are asked only then.
  struct TieBreakers {
    std::function<double(const std::string& user)> service;
    std::function<double(std::uint32_t request_class)> predicted_s;
  };

  void Push(std::uint32_t request_class, const std::string& user, std::int32_t priority, JobId job,
            std::int64_t enqueued_ms);
  void Remove(std::uint32_t request_class, const std::string& user, std::int32_t priority, JobId job);
  // The best level among those that `fits` allows; null when there is none. Valid until the next change.
  Level* Best(std::int64_t aging_ms, const TieBreakers& ties, const std::function<bool(const Level&)>& fits);
  // After a head that is limited (by --max-running, say) the next job of the level is to be looked at.
  void MoveHeadToBack(Level& level);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  using Key = std::tuple<std::uint32_t, std::string, std::int32_t>;
  std::map<Key, Level> levels_;
  std::size_t size_ = 0;
};

// REQUIRES aging_ms > 0.
std::int64_t RankOf(std::int32_t priority, std::int64_t since_ms, std::int64_t aging_ms);

}  // namespace icarus::broker
