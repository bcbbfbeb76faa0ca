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

}  // namespace icarus::broker
