// A batch of records as RocksDB's write batch.
#pragma once

#include "broker/core/records.h"

namespace rocksdb {
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace icarus::broker {

// Adds every record in order, and `meta` last. An error only when RocksDB takes no more into one batch.
rocksdb::Status FillBatch(const RecordBatch& records, const StoreMeta& meta, rocksdb::WriteBatch& batch);

}  // namespace icarus::broker
