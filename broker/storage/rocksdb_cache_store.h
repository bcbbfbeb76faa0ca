// The result cache in a RocksDB database of its own, so that its compactions, a full disk or damage never stop a job.
// Small entries (what is known of a value), bodies and uses lie in a column family each; large bodies in RocksDB's blob
// files, zstd.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/ports/cache_store.h"
#include "broker/storage/storage_log.h"

namespace icarus::broker {

// The third family: CacheEntry::last_used by key, where an entry was used after it was put.
inline constexpr char kCacheUseFamily[] = "use";

class RocksDbCacheStore final : public CacheStore {
 public:
  // Makes the database if there is none. One that is damaged, as a write has found before, or cannot be read is set
  // aside as <dir>.damaged-<time> (the last two are kept), a new, empty one takes its place, and `log` is told. Errors:
  // kRefused: open elsewhere; kOverloaded: no space; kIo: even a new one cannot be made.
  static Result<std::unique_ptr<RocksDbCacheStore>> Open(const std::string& dir, StorageLog log);
  ~RocksDbCacheStore() override;

  // A damaged entry is dropped and logged; a database that turns out to be damaged is set aside as by Open, so what was
  // visited before may be missing afterwards: a miss. After an error the store must not be used.
  Status Load(const std::function<void(const ContentHash&, CacheEntry)>& visit) override;
  // Load has done so.
  bool was_set_aside() const;
  // A clearing gives the space back too before it returns: it may take seconds. Otherwise a thread of the store's own
  // does, when nothing was written for a moment, or the disk holds half as much again as it may.
  Result<CacheWritten> Write(const CacheChanges& changes, const CacheRoom& room) override;
  void SetMemory(CacheMemory memory) override;
  CacheReleased ReleaseMemory() override;
  std::uint64_t DiskBytes() override;
  // Of what was read and what is not in files yet.
  std::uint64_t MemoryBytes() const;
  Result<std::optional<std::string>> Get(const ContentHash& key) override;
  Result<std::optional<CacheEntry>> Find(const ContentHash& key) override;
  Status Scan(const std::optional<ContentHash>& after,
              const std::function<bool(const ContentHash&, CacheEntry)>& visit) override;

 private:
  struct Impl;
  explicit RocksDbCacheStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace icarus::broker
