#include "broker/core/cache_index.h"

#include <algorithm>

namespace icarus::broker {

void CacheIndex::SetLimits(std::uint64_t max_bytes, std::uint64_t max_entries) {
  max_bytes_ = max_bytes;
  max_entries_ = max_entries;
}

void CacheIndex::Insert(const ContentHash& key, CacheEntry entry) {
  Remove(key);
  use_counter_ = std::max(use_counter_, entry.last_used) + 1;
  bytes_ += entry.size_bytes;
  recency_.push_front(key);
  index_[key] = Slot{std::move(entry), recency_.begin()};
}

std::vector<ContentHash> CacheIndex::FinishLoading() {
  recency_.sort([this](const ContentHash& a, const ContentHash& b) {
    const std::uint64_t used_a = index_[a].entry.last_used;
    const std::uint64_t used_b = index_[b].entry.last_used;
    return used_a != used_b ? used_a > used_b : a < b;
  });
  for (auto it = recency_.begin(); it != recency_.end(); ++it) index_[*it].position = it;
  return Shrink();
}

const CacheEntry* CacheIndex::Lookup(const ContentHash& key, std::int64_t wall_ms, std::vector<ContentHash>& expired) {
  const auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  CacheEntry& entry = it->second.entry;
  if (entry.expires_at_ms != 0 && entry.expires_at_ms <= wall_ms) {
    ++counters.expirations;
    expired.push_back(key);
    Remove(key);
    return nullptr;
  }
  entry.last_used = ++use_counter_;
  recency_.splice(recency_.begin(), recency_, it->second.position);
  return &entry;
}

bool CacheIndex::Contains(const ContentHash& key, std::int64_t wall_ms) const {
  const auto it = index_.find(key);
  if (it == index_.end()) return false;
  return it->second.entry.expires_at_ms == 0 || it->second.entry.expires_at_ms > wall_ms;
}

bool CacheIndex::Put(const ContentHash& key, CacheEntry entry, std::vector<ContentHash>& removed) {
  if (entry.size_bytes > max_bytes_ || max_entries_ == 0) {
    ++counters.refused;
    return false;
  }
  entry.last_used = ++use_counter_;
  Insert(key, std::move(entry));
  const auto evicted = Shrink();
  removed.insert(removed.end(), evicted.begin(), evicted.end());
  return true;
}

void CacheIndex::Remove(const ContentHash& key) {
  const auto it = index_.find(key);
  if (it == index_.end()) return;
  bytes_ -= it->second.entry.size_bytes;
  recency_.erase(it->second.position);
  index_.erase(it);
}

std::uint64_t CacheIndex::Clear() {
  const std::uint64_t cleared = index_.size();
  index_.clear();
  recency_.clear();
  bytes_ = 0;
  return cleared;
}

std::vector<ContentHash> CacheIndex::Shrink() {
  std::vector<ContentHash> removed;
  while (bytes_ > max_bytes_ || index_.size() > max_entries_) {
    const ContentHash key = recency_.back();
    removed.push_back(key);
    Remove(key);
    ++counters.evictions;
  }
  return removed;
}

}  // namespace icarus::broker
