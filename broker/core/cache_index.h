// What the result cache holds, without the values: looked at before every dispatch, so a miss needs no disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/core/records.h"
#include "common/model/content_hash.h"

namespace icarus::broker {

// Bounded in entries and logical bytes at every moment: what has to go is returned by the call that made it necessary,
// for the store to remove.
//
// Which goes: the one with the least credit, and of several the one that was not used for longest. An entry's credit,
// set when it is put or used, is the credit of the last that had to go plus its weight, by what it costs to compute
// again and by the room it takes (WeightOf). So what is not used grows old however dear it was, and of what is used
// alike the cheap goes first. After P. Cao, S. Irani: Cost-aware WWW proxy caching algorithms, USITS 1997, section 4
// (GreedyDual-Size); equal weights are plain LRU.
class CacheIndex {
 public:
  void SetLimits(std::uint64_t max_bytes, std::uint64_t max_entries);

  // As loaded at start, in any order; recency by CacheEntry::last_used. FinishLoading returns what is too much.
  void Load(const ContentHash& key, CacheEntry entry) { Insert(key, std::move(entry)); }
  std::vector<ContentHash> FinishLoading() { return Shrink(); }

  // The live entry, made the most recently used; null when it is not there or has expired (then `expired` gets the
  // key). Without form and target, which the store keeps.
  const CacheEntry* Lookup(const ContentHash& key, std::int64_t wall_ms, std::vector<ContentHash>& expired);
  // Expired or not; null: it is not there. Touches nothing, as does Contains.
  const CacheEntry* Find(const ContentHash& key) const;
  // Whether it is there and live.
  bool Contains(const ContentHash& key, std::int64_t wall_ms) const;

  // False when the entry is larger than the cache may be: it is not put. `entry` gets its place in the order of uses,
  // which is to be stored with it; `removed` gets what had to go.
  bool Put(const ContentHash& key, CacheEntry& entry, std::vector<ContentHash>& removed);
  bool Remove(const ContentHash& key);  // false: it was not there
  std::uint64_t Clear();
  std::vector<ContentHash> Shrink();  // to the limits, after they were changed
  // Takes out what has expired, at most so many; they are counted.
  std::vector<ContentHash> TakeExpired(std::int64_t wall_ms, std::size_t most);
  // When the next one expires.
  std::optional<std::int64_t> NextExpiry() const;

  std::uint64_t entries() const { return index_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t max_bytes() const { return max_bytes_; }
  std::uint64_t max_entries() const { return max_entries_; }
  CacheCounters counters;

  // What an entry is worth: doubles with its compute time beyond a second, and halves with its size beyond 64 KiB, in
  // powers of two. What takes less of both is alike: the noise of a measurement does not decide what goes.
  static double WeightOf(const CacheEntry& entry);

 private:
  struct Rank {
    double credit = 0;
    std::uint64_t last_used = 0;
    friend auto operator<=>(const Rank&, const Rank&) = default;
  };
  struct Slot {
    CacheEntry entry;
    Rank rank;
  };
  void Insert(const ContentHash& key, CacheEntry entry);
  void Use(const ContentHash& key, Slot& slot);
  ContentHash EvictOne();

  std::unordered_map<ContentHash, Slot> index_;
  std::set<std::pair<Rank, ContentHash>> order_;  // the first goes first
  std::set<std::pair<std::int64_t, ContentHash>> expiries_;
  double gone_credit_ = 0;  // of the last that had to go
  std::uint64_t bytes_ = 0;
  std::uint64_t max_bytes_ = 500ull << 20;
  std::uint64_t max_entries_ = 100'000;
  std::uint64_t use_counter_ = 0;
};

}  // namespace icarus::broker
