#include "broker/core/cache_index.h"

#include <algorithm>
#include <cmath>

namespace icarus::broker {
namespace {

constexpr double kAlikeSeconds = 1;
constexpr double kAlikeBytes = 64 << 10;
constexpr double kLargestExponent = 40;

}  // namespace

void CacheIndex::SetLimits(std::uint64_t max_bytes, std::uint64_t max_entries) {
  max_bytes_ = max_bytes;
  max_entries_ = max_entries;
}

double CacheIndex::WeightOf(const CacheEntry& entry) {
  const double seconds = std::max(entry.compute_s, kAlikeSeconds) / kAlikeSeconds;
  const double room = std::max(static_cast<double>(entry.size_bytes), kAlikeBytes) / kAlikeBytes;
  return std::exp2(std::clamp(std::round(std::log2(seconds / room)), -kLargestExponent, kLargestExponent));
}

void CacheIndex::Insert(const ContentHash& key, CacheEntry entry) {
  Remove(key);
  entry.form.reset();
  entry.target.reset();
  use_counter_ = std::max(use_counter_, entry.last_used);
  bytes_ += entry.size_bytes;
  if (entry.expires_at_ms != 0) expiries_.insert({entry.expires_at_ms, key});
  Slot& slot = index_[key];
  slot.entry = std::move(entry);
  slot.rank = {gone_credit_ + WeightOf(slot.entry), slot.entry.last_used};
  order_.insert({slot.rank, key});
}

void CacheIndex::Use(const ContentHash& key, Slot& slot) {
  order_.erase({slot.rank, key});
  slot.entry.last_used = ++use_counter_;
  slot.rank = {gone_credit_ + WeightOf(slot.entry), slot.entry.last_used};
  order_.insert({slot.rank, key});
}

const CacheEntry* CacheIndex::Lookup(const ContentHash& key, std::int64_t wall_ms, std::vector<ContentHash>& expired) {
  const auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  if (!Contains(key, wall_ms)) {
    ++counters.expirations;
    expired.push_back(key);
    Remove(key);
    return nullptr;
  }
  Use(key, it->second);
  return &it->second.entry;
}

const CacheEntry* CacheIndex::Find(const ContentHash& key) const {
  const auto it = index_.find(key);
  return it == index_.end() ? nullptr : &it->second.entry;
}

bool CacheIndex::Contains(const ContentHash& key, std::int64_t wall_ms) const {
  const CacheEntry* entry = Find(key);
  return entry != nullptr && !HasExpired(entry->expires_at_ms, wall_ms);
}

bool CacheIndex::Put(const ContentHash& key, CacheEntry& entry, std::vector<ContentHash>& removed) {
  if (entry.size_bytes > max_bytes_ || max_entries_ == 0) {
    ++counters.refused;
    return false;
  }
  entry.last_used = ++use_counter_;
  // Room is made before it comes in, so that it is not itself what goes for being cheap.
  Remove(key);
  while (bytes_ + entry.size_bytes > max_bytes_ || index_.size() + 1 > max_entries_) {
    removed.push_back(EvictOne());
  }
  Insert(key, entry);
  return true;
}

bool CacheIndex::Remove(const ContentHash& key) {
  const auto it = index_.find(key);
  if (it == index_.end()) return false;
  const CacheEntry& entry = it->second.entry;
  bytes_ -= entry.size_bytes;
  if (entry.expires_at_ms != 0) expiries_.erase({entry.expires_at_ms, key});
  order_.erase({it->second.rank, key});
  index_.erase(it);
  return true;
}

std::uint64_t CacheIndex::Clear() {
  const std::uint64_t cleared = index_.size();
  index_.clear();
  order_.clear();
  expiries_.clear();
  bytes_ = 0;
  return cleared;
}

ContentHash CacheIndex::EvictOne() {
  const auto [rank, key] = *order_.begin();
  gone_credit_ = std::max(gone_credit_, rank.credit);
  Remove(key);
  ++counters.evictions;
  return key;
}

std::vector<ContentHash> CacheIndex::Shrink() {
  std::vector<ContentHash> removed;
  while (bytes_ > max_bytes_ || index_.size() > max_entries_) removed.push_back(EvictOne());
  return removed;
}

std::vector<ContentHash> CacheIndex::TakeExpired(std::int64_t wall_ms, std::size_t most) {
  std::vector<ContentHash> expired;
  while (!expiries_.empty() && expiries_.begin()->first <= wall_ms && expired.size() < most) {
    const ContentHash key = expiries_.begin()->second;
    Remove(key);
    ++counters.expirations;
    expired.push_back(key);
  }
  return expired;
}

std::optional<std::int64_t> CacheIndex::NextExpiry() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->first;
}

}  // namespace icarus::broker
