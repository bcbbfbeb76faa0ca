// The attempts at this worker: the queue by priority and arrival, the slots in use, and one alarm each. Not
// thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "worker/core/attempt.h"

namespace icarus::worker {

class AttemptTable {
 public:
  explicit AttemptTable(std::int32_t slots) : slots_(slots) {}

  // A new queued attempt; an older one of the same execution no longer answers to FindExecution. References stay valid
  // until Remove.
  Attempt& Add(std::shared_ptr<const DispatchGroup> group, DispatchTask task);
  void Remove(AttemptId id);
  AttemptId NewId() { return AttemptId(++last_id_); }  // not that of any attempt
  Attempt* Find(AttemptId id);
  Attempt* FindExecution(ExecutionId execution);

  // The first in the queue, by falling priority and then arrival, if it fits into the free slots. A wide one at the
  // head is not overtaken: the broker sized what it sent.
  Attempt* NextToStart();
  void TakeSlots(Attempt& attempt);     // leaves the queue
  void ReleaseSlots(Attempt& attempt);  // no effect when it has none

  void SetAlarm(Attempt& attempt, std::optional<Instant> at);
  Attempt* Due(Instant now);  // one whose alarm is not later than now
  std::optional<Instant> FirstAlarm() const;

  std::int32_t slots() const { return slots_; }
  std::int32_t slots_used() const { return used_; }
  bool empty() const { return attempts_.empty(); }
  std::size_t size() const { return attempts_.size(); }
  const std::map<AttemptId, Attempt>& all() const { return attempts_; }  // in order of arrival
  std::map<AttemptId, Attempt>& all() { return attempts_; }

  // Empty, or what contradicts itself. For tests.
  std::string Broken() const;

 private:
  using QueueKey = std::pair<std::int32_t, AttemptId>;  // priority negated: the highest is first
  static QueueKey KeyOf(const Attempt& attempt) { return {-attempt.group->priority, attempt.id}; }

  std::int32_t slots_;
  std::int32_t used_ = 0;
  std::uint64_t last_id_ = 0;
  std::map<AttemptId, Attempt> attempts_;
  std::unordered_map<ExecutionId, AttemptId> current_;
  std::set<QueueKey> queue_;
  std::set<AttemptId> with_slots_;
  std::set<std::pair<Instant, AttemptId>> alarms_;
};

}  // namespace icarus::worker
