// The job store's RocksDB database: how it is opened, for the store itself and for the tools that read, copy and mend
// it, and how damage of it is told.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/core/records.h"
#include "broker/storage/read_only_files.h"
#include "broker/storage/storage_log.h"
#include "common/base/result.h"

namespace rocksdb {
class DB;
class Env;
class Status;
struct Options;
}  // namespace rocksdb

namespace icarus::broker {

rocksdb::Options JobStoreDbOptions(const StorageLog& log);

// A kCorruption of the functions here says what is wrong and no more; this adds where, and what to do. Other errors are
// left as they are.
Error WithAdvice(const std::string& dir, Error error);
// What RocksDB said when it opened the store. Held by another: kRefused, naming `home`.
Error OpenFailure(const std::string& dir, const std::string& home, const rocksdb::Status& status);

// Whether a file of the store's directory is RocksDB's, of which a copy of the database consists: neither the lock nor
// the high-water mark nor the reserve.
bool IsDatabaseFile(std::string_view name);

// RocksDB would make a new, empty database where the file that leads to the old one is gone.
Status CheckNotHeadless(const std::string& dir);

// The one record without which nothing else is read; a new lineage and epoch 0 when the store is empty. kCorruption:
// missing in a store that is not empty, or not readable. kRefused: of another schema.
Result<StoreMeta> ReadMeta(rocksdb::DB& db, const std::string& dir);
StoreMeta NewStoreMeta();

// Opened for reading: nothing on disk is changed. REQUIRES that no broker serves the store meanwhile.
class ReadOnlyDatabase {
 public:
  enum class Damage { kRefuse, kSkip };  // of the write-ahead log
  static rocksdb::Status Open(const std::string& dir, LogFiles logs, Damage damage, ReadOnlyDatabase& into);

  ReadOnlyDatabase();
  ~ReadOnlyDatabase();
  ReadOnlyDatabase(const ReadOnlyDatabase&) = delete;
  ReadOnlyDatabase& operator=(const ReadOnlyDatabase&) = delete;

  rocksdb::DB& db() const { return *db_; }

 private:
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace icarus::broker
