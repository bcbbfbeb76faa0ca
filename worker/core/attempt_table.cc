#include "worker/core/attempt_table.h"

#include "common/base/check.h"

namespace icarus::worker {

Attempt& AttemptTable::Add(std::shared_ptr<const DispatchGroup> group, DispatchTask task) {
  const AttemptId id = NewId();
  Attempt& attempt = attempts_[id];
  attempt.id = id;
  attempt.slots = group->resources.cpus;
  attempt.group = std::move(group);
  attempt.task = std::move(task);
  const auto [current, is_first] = current_.try_emplace(attempt.task.execution, id);
  if (!is_first) {
    attempts_.at(current->second).superseded = true;
    current->second = id;
  }
  queue_.insert(KeyOf(attempt));
  return attempt;
}

void AttemptTable::Remove(AttemptId id) {
  const auto found = attempts_.find(id);
  ICARUS_CHECK(found != attempts_.end());
  Attempt& attempt = found->second;
  ReleaseSlots(attempt);
  SetAlarm(attempt, std::nullopt);
  queue_.erase(KeyOf(attempt));
  if (!attempt.superseded) current_.erase(attempt.task.execution);
  attempts_.erase(found);
}

Attempt* AttemptTable::Find(AttemptId id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : &found->second;
}

Attempt* AttemptTable::FindExecution(ExecutionId execution) {
  const auto found = current_.find(execution);
  return found == current_.end() ? nullptr : Find(found->second);
}

Attempt* AttemptTable::NextToStart() {
  if (queue_.empty()) return nullptr;
  Attempt* head = Find(queue_.begin()->second);
  return head->slots <= slots_ - used_ ? head : nullptr;
}

void AttemptTable::TakeSlots(Attempt& attempt) {
  ICARUS_CHECK(queue_.erase(KeyOf(attempt)) == 1 && attempt.slots <= slots_ - used_);
  with_slots_.insert(attempt.id);
  used_ += attempt.slots;
}

void AttemptTable::ReleaseSlots(Attempt& attempt) {
  if (with_slots_.erase(attempt.id) == 1) used_ -= attempt.slots;
}

void AttemptTable::SetAlarm(Attempt& attempt, std::optional<Instant> at) {
  if (attempt.alarm) alarms_.erase({*attempt.alarm, attempt.id});
  attempt.alarm = at;
  if (at) alarms_.insert({*at, attempt.id});
}

Attempt* AttemptTable::Due(Instant now) {
  if (alarms_.empty() || alarms_.begin()->first > now) return nullptr;
  return Find(alarms_.begin()->second);
}

std::optional<Instant> AttemptTable::FirstAlarm() const {
  if (alarms_.empty()) return std::nullopt;
  return alarms_.begin()->first;
}

std::string AttemptTable::Broken() const {
  std::int32_t used = 0;
  std::size_t queued = 0;
  std::size_t current = 0;
  for (const auto& [id, attempt] : attempts_) {
    const bool waits = attempt.state == AttemptState::kQueued;
    const bool has_slots = with_slots_.contains(id);
    if (has_slots != (!waits && attempt.state != AttemptState::kUploading)) return "slots and state disagree";
    if (waits != queue_.contains(KeyOf(attempt))) return "queue and state disagree";
    used += has_slots ? attempt.slots : 0;
    queued += waits ? 1 : 0;
    current += attempt.superseded ? 0 : 1;
  }
  if (used != used_ || used_ > slots_) return "more slots are in use than there are";
  if (queued != queue_.size()) return "the queue names an attempt that is not there";
  if (current != current_.size()) return "an execution has no attempt, or two";
  return {};
}

}  // namespace icarus::worker
