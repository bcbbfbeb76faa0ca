// The high-water mark: how far the job store is known to have been durable, kept in a small file of its own. RocksDB
// may open with less than was synced, when the end of its log was cut off at a record's edge; a store that ends below
// its mark has lost acknowledged work and must not be served.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace icarus::broker {

struct StorePosition {
  std::string lineage;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const StorePosition&, const StorePosition&) = default;
};

// One thread at a time.
class HighWater {
 public:
  // The mark in the file; nullopt when there is no file or what it holds is no mark (cut off, checksum).
  static Result<std::optional<StorePosition>> Read(const std::string& path);

  // Creates the file if need be.
  static Result<HighWater> Open(const std::string& path);

  // Call it after what it names is durable. In place, one sector; synced if the last sync is a second ago.
  Status Write(const StorePosition& position);

 private:
  HighWater(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
  std::optional<std::chrono::steady_clock::time_point> synced_;
};

}  // namespace icarus::broker
