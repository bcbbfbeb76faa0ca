// The output files of a command: what its patterns match after it has ended.
#pragma once

#include <string>
#include <vector>

#include "common/model/job_spec.h"
#include "worker/launcher/outbox.h"

namespace icarus::worker {

// Of one attempt; more are refused. Named in the error.
inline constexpr std::size_t kMaxOutputFiles = 10'000;

struct CollectedOutputs {
  std::vector<FileRef> files;          // sorted by name, names relative to the directory
  std::vector<std::string> unmatched;  // patterns without a match
  std::vector<std::string> warnings;   // what matched and is not a file that can be sent
  std::string too_much;                // a limit was exceeded: which, with numbers; `files` is then incomplete
};

// Shell patterns relative to `directory` (glob(7)); a directory that matches is taken with all that is in it, a
// symbolic link as the file it points to. With `may_take` the files are moved away, otherwise copied. REQUIRES patterns
// that StaysInside.
CollectedOutputs CollectOutputs(const std::string& directory, const std::vector<std::string>& patterns, bool may_take,
                                Outbox& outbox);

}  // namespace icarus::worker
