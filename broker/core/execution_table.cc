#include "broker/core/execution_table.h"

#include <algorithm>

#include "common/base/check.h"

namespace icarus::broker {

Execution& ExecutionTable::Create(TaskRef leader, std::optional<ContentHash> key) {
  const ExecutionId id((epoch_ << kEpochShift) | ++last_id_);
  Execution& execution = executions_[id];
  execution.id = id;
  execution.subscribers.push_back(leader);
  if (key) SetKey(execution, *key);
  return execution;
}

Execution& ExecutionTable::Restore(ExecutionId id, Token token, TaskRef leader) {
  Execution& execution = executions_[id];
  execution.id = id;
  execution.token = token;
  execution.subscribers.push_back(leader);
  execution.state = ExecutionState::kOrphaned;
  return execution;
}

Execution* ExecutionTable::Find(ExecutionId id) {
  const auto it = executions_.find(id);
  return it == executions_.end() ? nullptr : &it->second;
}

const Execution* ExecutionTable::Find(ExecutionId id) const {
  const auto it = executions_.find(id);
  return it == executions_.end() ? nullptr : &it->second;
}

Execution* ExecutionTable::FindByKey(const ContentHash& key) {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : Find(it->second);
}

void ExecutionTable::SetKey(Execution& execution, const ContentHash& key) {
  execution.key = key;
  by_key_[key] = execution.id;
}

void ExecutionTable::Erase(ExecutionId id) {
  const auto it = executions_.find(id);
  ICARUS_CHECK(it != executions_.end());
  if (it->second.key) {
    const auto keyed = by_key_.find(*it->second.key);
    if (keyed != by_key_.end() && keyed->second == id) by_key_.erase(keyed);
  }
  executions_.erase(it);
}

bool ExecutionTable::DropFromRecord(std::uint64_t record) {
  const auto it = open_in_record_.find(record);
  if (it == open_in_record_.end()) return false;
  if (--it->second > 0) return false;
  open_in_record_.erase(it);
  return true;
}

std::vector<ExecutionId> ExecutionTable::Ids() const {
  std::vector<ExecutionId> ids;
  ids.reserve(executions_.size());
  for (const auto& [id, execution] : executions_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace icarus::broker
