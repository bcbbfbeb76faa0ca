// FileSweeper: sweeps the files (broker/storage/file_sweep.h) while the broker serves: some seconds after something has
// changed, and so seldom that it takes a small part of one core. Owned and used by the loop's thread; one of its own
// does the work.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "broker/ports/cache_store.h"
#include "broker/storage/blob_store.h"
#include "broker/storage/file_sweep.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"
#include "broker/storage/rocksdb_job_store.h"

namespace icarus::broker {

struct SweepTimes {
  // A worker or client that was cut off tells again what the last broker has named and not written.
  std::int64_t after_start_ms = 60'000;
  std::int64_t after_change_ms = 5'000;
  // What is named is in a record that was decided in the same turn, is put into the cache within seconds, or belongs to
  // a submission that was refused for now and comes again.
  std::int64_t named_for_ms = 60'000;
  std::int64_t offered_for_ms = 7 * 86'400'000ll;  // as for an upload that nobody went on with
};

class FileSweeper {
 public:
  // All outlive it. `copying` is held by whoever copies the files.
  FileSweeper(const BlobStore& files, const RocksDbJobStore& jobs, CacheStore& cache, LoopInbox& inbox,
              std::mutex& copying, SweepTimes times = {});

  // What the stores have come to: numbers that rise with every change.
  struct Progress {
    std::uint64_t changes = 0;
    std::uint64_t decided = 0;  // the batch that holds the last of what was decided
    std::uint64_t durable = 0;  // the last batch on disk
  };
  // Starts a sweep when one is due and what was decided before is on disk. `clock_ms`: broker time.
  void Pump(const Progress& progress, std::int64_t clock_ms);
  // When Pump has something to do that nothing else wakes the loop for.
  std::optional<std::int64_t> DueMs() const { return sweeping_ || awaited_ ? std::nullopt : std::optional(due_ms_); }

 private:
  void Start();
  Result<SweptFiles> Sweep() const;
  void Finish(const Result<SweptFiles>& swept, std::int64_t took_ms);

  const BlobStore& files_;
  const RocksDbJobStore& jobs_;
  CacheStore& cache_;
  LoopInbox& inbox_;
  std::mutex& copying_;
  const SweepTimes times_;
  std::int64_t clock_ms_ = 0;             // of the last Pump
  std::int64_t due_ms_ = 0;               // of the next sweep
  std::int64_t earliest_ms_ = 0;          // not before, whatever happens
  std::uint64_t swept_changes_ = 0;       // Progress::changes when the last one began
  std::optional<std::uint64_t> awaited_;  // the batch that the next one waits for
  bool sweeping_ = false;
  IoThread thread_;
};

}  // namespace icarus::broker
