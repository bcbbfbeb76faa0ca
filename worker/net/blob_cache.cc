#include "worker/net/blob_cache.h"

#include <algorithm>
#include <filesystem>

#include "common/base/files.h"

namespace icarus::worker {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kInUse_ms = 600'000;

}  // namespace

Result<BlobCache> BlobCache::Open(const std::string& dir, std::uint64_t max_bytes) {
  ICARUS_TRY(MakeDirectories(dir, 0700));
  BlobCache cache(dir, max_bytes);
  const Now now = ReadClocks();
  std::error_code ec;
  for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code unreadable;
    const auto hash = ContentHash::FromHex(it->path().filename().string());
    const std::uint64_t size = it->file_size(unreadable);
    if (hash && !unreadable) {
      cache.entries_[*hash] = Entry{size, 0};
      cache.bytes_ += size;
    } else {
      ICARUS_TRY(RemoveTree(it->path().string()));
    }
  }
  if (ec) return IoError("cannot read " + dir + ": " + ec.message());
  cache.Shrink(now);
  return cache;
}

bool BlobCache::Use(const ContentHash& hash, const Now& now) {
  const auto found = entries_.find(hash);
  if (found == entries_.end()) return false;
  if (!PathExists(PathOf(hash))) {  // removed behind our back
    bytes_ -= found->second.size;
    entries_.erase(found);
    return false;
  }
  found->second.used_ms = now.monotonic_ms();
  return true;
}

void BlobCache::Added(const ContentHash& hash, std::uint64_t size, const Now& now) {
  const auto [entry, is_new] = entries_.try_emplace(hash, Entry{size, 0});
  if (is_new) bytes_ += size;
  entry->second.used_ms = now.monotonic_ms();
  Shrink(now);
}

void BlobCache::Shrink(const Now& now) {
  while (bytes_ > max_bytes_) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.used_ms < b.second.used_ms;
    });
    const bool in_use = oldest->second.used_ms != 0 && now.monotonic_ms() - oldest->second.used_ms < kInUse_ms;
    if (in_use || !RemoveTree(PathOf(oldest->first))) return;
    bytes_ -= oldest->second.size;
    entries_.erase(oldest);
  }
}

}  // namespace icarus::worker
