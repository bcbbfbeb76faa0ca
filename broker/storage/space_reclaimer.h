// SpaceReclaimer: gives the disk space of deleted jobs back. A range deletion alone does not make RocksDB compact what
// it covers, so tables full of deleted records would stay for as long as nothing is written near them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/storage/storage_log.h"
#include "common/model/ids.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace icarus::broker {

class SpaceReclaimer {
 public:
  // `db` outlives this object. Compacts when about `threshold` bytes of tables are of deleted jobs. A thread of its
  // own.
  SpaceReclaimer(rocksdb::DB& db, std::uint64_t threshold, StorageLog log);
  ~SpaceReclaimer();  // an unfinished compaction is given up
  SpaceReclaimer(const SpaceReclaimer&) = delete;
  SpaceReclaimer& operator=(const SpaceReclaimer&) = delete;

  // The job's deletion has been written. Any thread.
  void Deleted(JobId job);

 private:
  using Runs = std::map<std::uint64_t, std::uint64_t>;  // of neighbouring jobs: first → last

  void Run();
  std::uint64_t SizeOf(const Runs& runs) const;
  bool Compact(const Runs& runs);
  void JoinNearest();                                    // with the mutex
  void Forget(std::uint64_t first, std::uint64_t last);  // with the mutex

  rocksdb::DB& db_;
  const std::uint64_t threshold_;
  const StorageLog log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Runs deleted_;  // not compacted since
  bool stopping_ = false;
  struct Cancel;  // what RocksDB looks at while it compacts
  std::unique_ptr<Cancel> cancel_;
  std::thread thread_;
};

}  // namespace icarus::broker
