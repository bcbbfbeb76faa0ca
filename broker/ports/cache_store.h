// The persistent result cache, as the broker needs it. What it loses is a miss, never an error of a job.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "broker/core/records.h"
#include "common/base/result.h"
#include "common/model/content_hash.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

struct CachePut {
  CacheEntry entry;
  Body body;
};

// What is written together. A key is in one of the maps at the most.
struct CacheChanges {
  bool clear = false;  // first, everything that was there before goes
  std::unordered_map<ContentHash, CachePut> puts;
  std::unordered_map<ContentHash, std::uint64_t> uses;  // CacheEntry::last_used of what is there already
  std::unordered_set<ContentHash> removals;

  bool empty() const { return !clear && puts.empty() && uses.empty() && removals.empty(); }
};

enum class CacheMemory { kPlenty, kShort };

struct CacheReleased {
  std::uint64_t blocks = 0;  // of its tables, that had been read
  std::uint64_t bytes = 0;   // by its own account
};

enum class CacheWritten { kAll, kWithoutPuts };

// One thread at a time calls it (the cache thread), except Load, which is called before that thread runs.
class CacheStore {
 public:
  virtual ~CacheStore() = default;
  virtual Status Load(const std::function<void(const ContentHash&, CacheEntry)>& visit) = 0;
  // Not synced; puts replace. kWithoutPuts: the disk holds so much more than `room` that first space has to be given
  // back. After an error each of the changes is there or not.
  virtual Result<CacheWritten> Write(const CacheChanges& changes, const CacheRoom& room) = 0;
  // kShort: what the store keeps in memory beside the disk is given back, and little is kept from then on.
  virtual void SetMemory(CacheMemory memory) = 0;
  // Gives back once what it keeps in memory beside the disk.
  virtual CacheReleased ReleaseMemory() = 0;
  virtual std::uint64_t DiskBytes() = 0;
  // Exactly the bytes that were put; nullopt: not there; kCorruption: there, but damaged (the caller removes it).
  virtual Result<std::optional<std::string>> Get(const ContentHash& key) = 0;
  // What is known of the value, `last_used` as of its put; nullopt: not there.
  virtual Result<std::optional<CacheEntry>> Find(const ContentHash& key) = 0;
  // Entries with a greater key than `after`, by key, until `visit` says no. Damaged ones are left out.
  virtual Status Scan(const std::optional<ContentHash>& after,
                      const std::function<bool(const ContentHash&, CacheEntry)>& visit) = 0;
};

}  // namespace icarus::broker
