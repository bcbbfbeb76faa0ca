// The write-ahead logs of a job store, judged before RocksDB sees them: which batches they hold, in order and without a
// gap, and what their end is. Every batch carries the store's description, so each tells its own number.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/storage/high_water.h"
#include "common/base/result.h"

namespace icarus::broker {

struct StoreLogs {
  enum class End {
    kWhole,
    kTorn,     // the last thing written is incomplete, and nothing was written after it
    kDamaged,  // something is missing or unreadable that others follow
  };
  End end = End::kWhole;
  std::string what;                    // with kTorn and kDamaged: the file, the place and what is wrong
  std::string torn_file;               // with kTorn: its path
  std::optional<StorePosition> first;  // of the batches before any damage
  std::optional<StorePosition> last;
};

// `batch`: as RocksDB wrote it. `after_damage`: something before it is missing.
using BatchVisitor =
    std::function<void(const std::optional<StorePosition>& position, std::string_view batch, bool after_damage)>;

// Reads all logs in `dir`, oldest first. An error only when a file cannot be read at all.
Result<StoreLogs> ReadStoreLogs(const std::string& dir, const BatchVisitor& visit = {});

// "batch 7", "batches 7 to 9".
std::string NameBatches(std::uint64_t first, std::uint64_t last);

}  // namespace icarus::broker
