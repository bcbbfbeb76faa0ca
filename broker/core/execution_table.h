// Executions: entities of their own. Tokens, workers, attempts belong to them; tasks subscribe to them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/records.h"
#include "common/model/content_hash.h"
#include "common/model/ids.h"
#include "common/model/result_body.h"
#include "common/model/task_state.h"

namespace icarus::broker {

enum class ExecutionState : std::uint8_t {
  kQueued,      // to be dispatched (again); its leader is ready in its job
  kDispatched,  // handed to a worker, not started as far as is known
  kStarted,
  kOrphaned,  // recorded, its worker has not come back since the broker's start
};

struct Execution {
  ExecutionId id;
  Token token;                       // of the last dispatch
  std::optional<ContentHash> key;    // when its result may be shared
  std::vector<TaskRef> subscribers;  // the first is the leader
  ExecutionState state = ExecutionState::kQueued;
  bool recalled = false;             // the worker was asked for it back, if it has not started
  bool asked_back = false;           // however far it is: an emergency
  std::optional<TaskState> stop_as;  // its end was asked for: what its subscribers become
  TaskError stop_error;              // then
  std::string instance;              // of the worker it is at
  std::string worker_name;
  std::uint64_t dispatch_record = 0;  // the stored record that names it
  std::uint32_t request_class = 0;
  std::int32_t cpus = 1;
  std::int64_t dispatched_ms = 0;  // monotonic
  std::int64_t started_ms = 0;

  TaskRef leader() const { return subscribers.front(); }
  bool at_worker() const { return state == ExecutionState::kDispatched || state == ExecutionState::kStarted; }
};

class ExecutionTable {
 public:
  // Ids and tokens are epoch << kEpochShift | sequence: never issued twice, over restarts too.
  void SetEpoch(std::uint64_t epoch) { epoch_ = epoch; }
  Execution& Create(TaskRef leader, std::optional<ContentHash> key);
  Execution& Restore(ExecutionId id, Token token, TaskRef leader);
  Token NextToken() { return Token((epoch_ << kEpochShift) | ++last_token_); }

  // References stay valid until Erase of the same id.
  Execution* Find(ExecutionId id);
  const Execution* Find(ExecutionId id) const;
  Execution* FindByKey(const ContentHash& key);
  void SetKey(Execution& execution, const ContentHash& key);
  void Erase(ExecutionId id);

  // A stored dispatch record goes when none of its executions is there any more; true when it is to be deleted now.
  void AddToRecord(std::uint64_t record, std::uint32_t executions) { open_in_record_[record] += executions; }
  bool DropFromRecord(std::uint64_t record);

  std::size_t size() const { return executions_.size(); }
  bool any_keyed() const { return !by_key_.empty(); }
  std::vector<ExecutionId> Ids() const;  // ascending

 private:
  std::uint64_t epoch_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_token_ = 0;
  std::unordered_map<ExecutionId, Execution> executions_;
  std::unordered_map<ContentHash, ExecutionId> by_key_;
  std::unordered_map<std::uint64_t, std::uint32_t> open_in_record_;
};

}  // namespace icarus::broker
