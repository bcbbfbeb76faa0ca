// Reading of the job store's database: everything at the start, or single tasks.
#pragma once

#include <optional>
#include <vector>

#include "broker/ports/job_store.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace icarus::broker {

// See JobStore::Load. Errors name the record; kIo where the disk refused, else kCorruption.
Status LoadRecords(rocksdb::DB& db, const StoreVisitor& visitor);

// See JobStore::ReadTasks. Any thread.
Result<std::vector<std::optional<StoredTask>>> ReadTaskRecords(rocksdb::DB& db, JobId job,
                                                               const std::vector<TaskIndex>& indices, bool bodies);

// See JobStore::ReadEvents. Any thread.
Result<std::vector<Event>> ReadEventRecords(rocksdb::DB& db, std::uint64_t after, std::size_t limit);

}  // namespace icarus::broker
