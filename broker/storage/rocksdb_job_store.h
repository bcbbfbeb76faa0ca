// The job store in one RocksDB database (see key_schema.h for its keys). The only process that has it open is the
// broker that serves this home: RocksDB's lock on the directory is that of the home.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/ports/job_store.h"
#include "broker/storage/storage_log.h"
#include "broker/storage/store_backup.h"

namespace icarus::broker {

struct JobStoreOptions {
  std::string home;  // as named in "home … is already served by another broker"; empty: the store's directory
  // With less than this free a commit is kOverloaded before RocksDB sees it: what its memtables need to be flushed, and
  // some more. RocksDB survives a disk that is really full, but takes five seconds and more to notice that it is not
  // any longer.
  std::uint64_t min_free_bytes = 48u << 20;
  // Of a file that is given up when the disk is full, so that results can still be committed; 0: none.
  std::uint64_t reserve_bytes = 0;
  std::uint64_t reclaim_bytes = 32u << 20;  // of deleted jobs in tables, until they are compacted
  StorageLog log;
};

class RocksDbJobStore final : public JobStore {
 public:
  // Makes the store if there is none, and counts one epoch more, on disk when this returns. The directory is made with
  // mode 0700. Errors, none of which changes the store: kRefused: open elsewhere, or written by another release;
  // kCorruption: damaged, or ends before what is known to have been durable; kOverloaded: no space; kIo.
  static Result<std::unique_ptr<RocksDbJobStore>> Open(const std::string& dir, const JobStoreOptions& options);
  ~RocksDbJobStore() override;

  // As Open left it: the epoch is this start's, the sequence that of the last batch before it.
  const StoreMeta& meta() const;
  std::uint64_t epoch() const { return meta().epoch; }

  Status Load(const StoreVisitor& visitor) override;

  // REQUIRES batch.sequence to be one more than that of the last batch that was committed, over restarts too.
  // A body written for an earlier attempt is kept, unread, when the task's new record has none; it goes with the job.
  Status Commit(const RecordBatch& batch) override;

  Result<std::vector<std::optional<StoredTask>>> ReadTasks(JobId job, const std::vector<TaskIndex>& indices,
                                                           bool bodies) override;
  Result<std::vector<Event>> ReadEvents(std::uint64_t after, std::size_t limit) override;

  // Copies what has been committed and the files in `blobs_dir` to `target`; see BackUpOpenStore. Any thread.
  Result<BackupNote> BackUp(const std::string& blobs_dir, const std::string& target);

  // See named_files.h. Any thread.
  Status VisitNamedFiles(const std::function<void(const ContentHash&)>& visit) const;

  // Why nothing new should be accepted, though commits still succeed: the reserve is in use. Empty: there is room.
  // Looks at the disk. Any thread.
  std::string ReviewSpace();

 private:
  struct Impl;
  explicit RocksDbJobStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace icarus::broker
