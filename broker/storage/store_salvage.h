// Makes a new home of what can still be read of a damaged one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/storage/store_verify.h"
#include "common/base/result.h"

namespace icarus::broker {

struct SalvageReport {
  std::vector<std::string> missing;  // what is not in the new store, or is there no more as it was; a line each
  std::uint64_t jobs = 0;
  std::uint64_t tasks = 0;  // records
  std::uint64_t bodies = 0;
  std::uint64_t blobs = 0;
  std::uint64_t pending_again = 0;  // tasks whose result is gone
  std::string lineage;              // the new one
  std::uint64_t epoch = 0;
};

// `home` is only read; all work is done on a copy below `target`, which must not exist or be empty and becomes a home:
// store, blobs. The store has a new lineage, and a new epoch far above all that the old one can have issued. A task
// whose result is gone is pending again. kRefused: a broker serves the home, `target` is in use, or another schema.
// kNotFound: there is no store. kCorruption: nothing can be read.
Result<SalvageReport> SalvageStore(const StorePlaces& home, const std::string& target);

// How far the epoch of a store leaps when it is made from another one, which may have gone on meanwhile.
inline constexpr std::uint64_t kEpochLeap = 1024;

// kRefused when the directory is there and not empty. Makes it, mode 0700.
Status MakeEmptyDirectory(const std::string& path);

}  // namespace icarus::broker
