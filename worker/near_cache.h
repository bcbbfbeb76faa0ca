// NearCache: the values that this worker has read from the broker's cache, kept for a while so that its next attempts
// need not ask. Bounded; the least recently used go first.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/base/clock.h"

namespace icarus::worker {

class NearCache {
 public:
  explicit NearCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  // What is too much goes at once.
  void SetLimit(std::size_t max_bytes);

  // A removal at the broker raises its cache's generation: everything of another one is forgotten.
  void SetGeneration(std::uint64_t generation);

  // REQUIRES an answer that the broker gave in this generation. `expires_at_ms` by the wall clock, 0: never; it is
  // asked again after kLongest in any case, for another worker may have put a newer value.
  void Put(const std::string& key, std::string value, std::int64_t expires_at_ms, const Now& now);
  const std::string* Find(const std::string& key, const Now& now);
  void Remove(const std::string& key);

  std::size_t bytes() const { return bytes_; }
  static constexpr std::int64_t kLongestMs = 60'000;

 private:
  struct Entry {
    std::string key;
    std::string value;
    std::int64_t expires_at_ms = 0;
    std::int64_t until_ms = 0;  // monotonic
  };
  using Entries = std::list<Entry>;
  static std::size_t SizeOf(const Entry& entry) { return entry.key.size() + entry.value.size(); }
  void Erase(Entries::iterator entry);
  void Shrink();

  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t generation_ = 0;
  Entries entries_;  // the first was used last
  std::unordered_map<std::string, Entries::iterator> by_key_;
};

}  // namespace icarus::worker
