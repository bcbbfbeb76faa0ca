// The persistent result cache, as the broker needs it. What it loses is a miss, never an error of a job.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "broker/core/records.h"
#include "common/base/result.h"
#include "common/model/content_hash.h"

namespace icarus::broker {

// One thread at a time calls it (the cache thread), except Load, which is called before that thread runs.
class CacheStore {
 public:
  virtual ~CacheStore() = default;
  virtual Status Load(const std::function<void(const ContentHash&, CacheEntry)>& visit) = 0;
  // Not synced. Replaces. An error is logged and counted by the caller; the entry is then not there.
  virtual Status Put(const ContentHash& key, const CacheEntry& entry, const std::string& body) = 0;
  // Exactly the bytes that were put; nullopt: not there; kCorruption: there, but damaged (the caller removes it).
  virtual Result<std::optional<std::string>> Get(const ContentHash& key) = 0;
  // What is known of the value; nullopt: not there.
  virtual Result<std::optional<CacheEntry>> Find(const ContentHash& key) = 0;
  // Entries with a greater key than `after`, by key, until `visit` says no. Damaged ones are left out.
  virtual Status Scan(const std::optional<ContentHash>& after,
                      const std::function<bool(const ContentHash&, CacheEntry)>& visit) = 0;
  virtual Status Remove(const std::vector<ContentHash>& keys) = 0;
  virtual Status Clear() = 0;
};

}  // namespace icarus::broker
