// The durable job store, as the broker needs it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/records.h"
#include "common/base/result.h"

namespace icarus::broker {

struct StoredTask {
  TaskRecord record;
  Body body;  // null when it has none or was not asked for
};

// What Load reports, in this order: meta, settings, then for each job by id: the job, its status, its tasks by index;
// then dispatches by id.
struct StoreVisitor {
  std::function<void(const StoreMeta&)> on_meta;
  std::function<void(std::string key, std::string value)> on_setting;
  std::function<void(JobRecord)> on_job;
  std::function<void(JobStatusRecord)> on_status;
  std::function<void(TaskRef, TaskRecord)> on_task;  // not called for tasks of finished jobs
  std::function<void(DispatchRecord)> on_dispatch;
  std::function<void(std::uint64_t first, std::uint64_t next, std::uint64_t bytes)> on_events;  // last; may be empty
};

// Commit is called by one thread at a time (the commit thread); the reads may be called by any, also meanwhile.
class JobStore {
 public:
  virtual ~JobStore() = default;

  // Reads everything; REQUIRES that nothing has been committed yet. kCorruption when a record cannot be read.
  virtual Status Load(const StoreVisitor& visitor) = 0;

  // Written and synced when it returns success. kOverloaded: no space, nothing is lost, the same batch may be tried
  // again. Any other error: the state of the disk is unknown and the process must end (an fsync is never retried).
  virtual Status Commit(const RecordBatch& batch) = 0;

  // The tasks of `indices` that have a record, in the same positions; bodies only if asked for.
  virtual Result<std::vector<std::optional<StoredTask>>> ReadTasks(JobId job, const std::vector<TaskIndex>& indices,
                                                                   bool bodies) = 0;

  // Events with a number above `after`, in order, at least `limit` of them if there are so many.
  virtual Result<std::vector<Event>> ReadEvents(std::uint64_t after, std::size_t limit) = 0;
};

}  // namespace icarus::broker
