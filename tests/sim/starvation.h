// That nobody waits for ever: a level of the queue (kind of task, user, priority) that has work is not passed over for
// longer than the bound, aging · (Δpriority + 1) after the level that is served instead was served last. Watches one
// life of a broker at a time, by what is on disk and what is handed out.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "tests/sim/disk.h"

namespace icarus::sim {

class StarvationWatch {
 public:
  // `durable` outlives this object. `aging_ms` 0: nothing is checked (a limit a user may hold work back, too).
  StarvationWatch(const StoreImage& durable, std::int64_t aging_ms) : durable_(durable), aging_ms_(aging_ms) {}

  void OnBrokerStarted();
  // At the broker's time. `ended`: jobs whose end was asked for. Returns what is wrong, or nothing.
  std::string OnDispatch(const broker::DispatchRecord& record, std::int64_t now_ms, const std::set<JobId>& ended);

 private:
  // What the queue may tell apart; two levels of one kind compete for the same workers.
  using Kind = std::tuple<std::string, std::string, std::string, std::int32_t>;
  struct Level {
    Kind kind;
    std::string user;
    std::int32_t priority = 0;
    friend auto operator<=>(const Level&, const Level&) = default;
  };
  struct Served {
    std::int64_t at_ms = 0;
    std::int64_t before_ms = -1;  // at an earlier moment than that; -1: never
  };

  static Level LevelOf(const broker::JobRecord& job);
  bool MustBeReady(JobId id, const StoredJob& job, const std::set<JobId>& ended) const;
  // What comes back to the queue keeps its age, which the level that has been empty meanwhile does not know.
  bool IsFirstTime(const StoredJob& job, const broker::DispatchRecord& record) const;
  std::string Check(const broker::DispatchRecord& record, std::int64_t now_ms, const std::set<JobId>& ended);

  const StoreImage& durable_;
  const std::int64_t aging_ms_;
  std::set<std::uint64_t> records_;  // that were looked at
  std::set<TaskRef> handed_out_;
  std::set<JobId> touched_;                    // of which something was handed out
  std::map<JobId, std::int64_t> ready_since_;  // as far as was seen
  std::map<Level, Served> served_;
  std::int64_t unknown_at_ms_ = 0;  // when a job was served that is not on disk
};

}  // namespace icarus::sim
