// Removes the files that no record names any more: those of evicted and expired entries, of deleted jobs, of attempts
// that have been superseded, and what was sent for a job that never came.
#pragma once

#include <cstdint>
#include <functional>

#include "broker/storage/blob_store.h"
#include "common/base/result.h"

namespace icarus::broker {

struct SweptFiles {
  std::uint64_t young = 0;  // named too lately to be looked at
  std::uint64_t removed = 0;
  std::uint64_t bytes = 0;
};

// Files that were touched later are spared: nobody can have named those that were offered before `offered_before_ns`
// and not named since, and whatever names one that was named before `named_before_ns` has been written. Wall time.
struct SweepAges {
  std::int64_t offered_before_ns = 0;
  std::int64_t named_before_ns = 0;
};

// Calls back with every file that is named, in any order; an error keeps all files.
using NamedFiles = std::function<Status(const std::function<void(const ContentHash&)>& visit)>;

// `named` is asked when there is something to remove. Any thread, beside the blob thread.
Result<SweptFiles> SweepFiles(const BlobStore& files, const SweepAges& ages, const NamedFiles& named);

}  // namespace icarus::broker
