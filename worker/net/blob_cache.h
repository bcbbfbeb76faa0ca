// BlobCache: input files that were fetched before, named by their content's hash in hex, within a bound of disk.
// A file is complete when it is here. Owned and used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/model/content_hash.h"

namespace icarus::worker {

class BlobCache {
 public:
  static constexpr std::uint64_t kDefaultBytes = 4ull << 30;

  // Takes over the complete files of an earlier process and removes the others.
  static Result<BlobCache> Open(const std::string& dir, std::uint64_t max_bytes = kDefaultBytes);

  const std::string& dir() const { return dir_; }
  std::string PathOf(const ContentHash& hash) const { return dir_ + "/" + hash.Hex(); }
  // True when it is here; it counts as used.
  bool Use(const ContentHash& hash, const Now& now);
  // The file has been put at PathOf. Those not used for the longest go while there is too much, but none that was used
  // within the last ten minutes: an attempt may be about to read it.
  void Added(const ContentHash& hash, std::uint64_t size, const Now& now);

 private:
  struct Entry {
    std::uint64_t size = 0;
    std::int64_t used_ms = 0;
  };
  explicit BlobCache(std::string dir, std::uint64_t max_bytes) : dir_(std::move(dir)), max_bytes_(max_bytes) {}
  void Shrink(const Now& now);

  std::string dir_;
  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::map<ContentHash, Entry> entries_;
};

}  // namespace icarus::worker
