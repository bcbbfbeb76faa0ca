// What the two RocksDB stores share. RocksDB's own headers stay inside the .cc files of this folder.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "broker/storage/storage_log.h"
#include "common/base/error.h"

namespace rocksdb {
class Logger;
class Slice;
class Status;
struct DBOptions;
}  // namespace rocksdb

namespace icarus::broker {

// Passes warnings and worse on to `log`, with `name` before them, and writes no file: RocksDB's own LOG aborts the
// process when the disk is full.
std::shared_ptr<rocksdb::Logger> MakeRocksLogger(std::string name, StorageLog log);

// What holds for both databases: our logger, no statistics files, few descriptors, none of the features whose recovery
// has known faults in this release (manual_wal_flush, wal_compression, log recycling).
void SetCommonOptions(rocksdb::DBOptions& options, std::shared_ptr<rocksdb::Logger> logger);

// Of every write batch: a checksum a key, kept from the batch to the memtable.
constexpr std::size_t kProtectionBytes = 8;

std::string_view View(const rocksdb::Slice& slice);

bool IsNoSpace(const rocksdb::Status& status);
// Another process, or this one, has the database open.
bool IsLockHeld(const rocksdb::Status& status);

// No space: kOverloaded with a retry time. Corruption: kCorruption. Anything else: kIo.
Error RocksError(const std::string& what, const rocksdb::Status& status);

}  // namespace icarus::broker
