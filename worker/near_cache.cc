#include "worker/near_cache.h"

#include <utility>

namespace icarus::worker {

void NearCache::SetGeneration(std::uint64_t generation) {
  if (std::exchange(generation_, generation) == generation) return;
  entries_.clear();
  by_key_.clear();
  bytes_ = 0;
}

void NearCache::Erase(Entries::iterator entry) {
  bytes_ -= SizeOf(*entry);
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void NearCache::Remove(const std::string& key) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) Erase(found->second);
}

void NearCache::Put(const std::string& key, std::string value, std::int64_t expires_at_ms, const Now& now) {
  Remove(key);
  Entry entry{key, std::move(value), expires_at_ms, now.monotonic_ms() + kLongestMs};
  if (SizeOf(entry) > max_bytes_) return;
  bytes_ += SizeOf(entry);
  entries_.push_front(std::move(entry));
  by_key_[key] = entries_.begin();
  Shrink();
}

void NearCache::Shrink() {
  while (bytes_ > max_bytes_) Erase(std::prev(entries_.end()));
}

void NearCache::SetLimit(std::size_t max_bytes) {
  max_bytes_ = max_bytes;
  Shrink();
}

const std::string* NearCache::Find(const std::string& key, const Now& now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  const Entry& entry = *found->second;
  const bool expired = entry.expires_at_ms != 0 && entry.expires_at_ms <= now.wall_ms;
  if (expired || entry.until_ms <= now.monotonic_ms()) {
    Erase(found->second);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->value;
}

}  // namespace icarus::worker
