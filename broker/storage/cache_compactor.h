// CacheCompactor: keeps what the cache takes on the disk near what it holds. RocksDB gives the space of removed values
// back late, and that of a database at rest never.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/ports/cache_store.h"
#include "broker/storage/storage_log.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Status;
}  // namespace rocksdb

namespace icarus::broker {

// Everything of these families, the values in blob files too. `cancelled`: null, or looked at meanwhile.
rocksdb::Status CompactAll(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                           std::atomic<bool>* cancelled);

class CacheCompactor {
 public:
  // `db` and `families` outlive this object. A thread of its own.
  CacheCompactor(rocksdb::DB& db, std::vector<rocksdb::ColumnFamilyHandle*> families, StorageLog log);
  ~CacheCompactor();  // an unfinished compaction is given up
  CacheCompactor(const CacheCompactor&) = delete;
  CacheCompactor& operator=(const CacheCompactor&) = delete;

  // False while the files take more than twice what the cache may hold; the compaction begins at once. Any thread.
  bool HasRoom(const CacheRoom& room);
  // Something has been written. Any thread.
  void Written(const CacheRoom& room);

 private:
  using Clock = std::chrono::steady_clock;
  void Run();
  bool IsDue();                     // with the mutex
  std::uint64_t DiskBytes() const;  // of tables and blob files
  std::uint64_t LogBytes() const;

  rocksdb::DB& db_;
  const std::vector<rocksdb::ColumnFamilyHandle*> families_;
  const StorageLog log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  CacheRoom room_;
  bool written_ = false;  // since the last compaction began
  Clock::time_point last_write_;
  Clock::time_point not_before_;  // after an error
  bool stopping_ = false;
  struct Cancel;  // what RocksDB looks at while it compacts
  std::unique_ptr<Cancel> cancel_;
  std::thread thread_;
};

}  // namespace icarus::broker
