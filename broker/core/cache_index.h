// What the result cache holds, without the values: looked at before every dispatch, so a miss needs no disk.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "broker/core/records.h"
#include "common/model/content_hash.h"

namespace icarus::broker {

struct CacheCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t joined = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expirations = 0;
  std::uint64_t damaged = 0;
  std::uint64_t refused = 0;  // larger than the whole cache
};

// Bounded in entries and logical bytes at every moment: what has to go is returned by the call that made it necessary,
// for the store to remove. Least recently used goes first.
class CacheIndex {
 public:
  void SetLimits(std::uint64_t max_bytes, std::uint64_t max_entries);

  // As loaded at start, in any order; recency by CacheEntry::last_used. FinishLoading sorts, and returns what is too
  // much.
  void Load(const ContentHash& key, CacheEntry entry) { Insert(key, std::move(entry)); }
  std::vector<ContentHash> FinishLoading();

  // The live entry, made the most recently used; null when it is not there or has expired (then `expired` gets the
  // key).
  const CacheEntry* Lookup(const ContentHash& key, std::int64_t wall_ms, std::vector<ContentHash>& expired);
  // The same without touching anything.
  bool Contains(const ContentHash& key, std::int64_t wall_ms) const;

  // False when the entry is larger than the cache may be: it is not put. `removed` gets what had to go.
  bool Put(const ContentHash& key, CacheEntry entry, std::vector<ContentHash>& removed);
  void Remove(const ContentHash& key);
  std::uint64_t Clear();
  std::vector<ContentHash> Shrink();  // to the limits, after they were changed

  std::uint64_t entries() const { return index_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t max_bytes() const { return max_bytes_; }
  std::uint64_t max_entries() const { return max_entries_; }
  CacheCounters counters;

 private:
  struct Slot {
    CacheEntry entry;
    std::list<ContentHash>::iterator position;
  };
  void Insert(const ContentHash& key, CacheEntry entry);

  std::unordered_map<ContentHash, Slot> index_;
  std::list<ContentHash> recency_;  // front: most recently used
  std::uint64_t bytes_ = 0;
  std::uint64_t max_bytes_ = 500ull << 20;
  std::uint64_t max_entries_ = 100'000;
  std::uint64_t use_counter_ = 0;
};

}  // namespace icarus::broker
