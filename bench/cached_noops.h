// Entries of the cache that are numbered: what `icarus submit noop --cache -p bytes=1024 --sweep i=…` is answered with.
// Their values are not a no-op's, one letter a thousand times, but look like a polar: sixteen rows of numbers drawn at
// random, which hardly compress.
#pragma once

#include <cstdint>
#include <string>

#include "client/lib/client.h"
#include "common/analysis/catalogue.h"

namespace icarus::bench {

class CachedNoops {
 public:
  // kNotFound: no worker of this broker does nothing.
  static Result<CachedNoops> Of(client::Client& client);

  // The job whose only task is the entry `i`.
  JobSpec One(std::uint64_t i) const;
  // The job of the tasks first, first + step …, `count` of them.
  Result<JobSpec> Sweep(std::uint64_t first, std::uint64_t step, std::uint64_t count) const;

  Result<ContentHash> KeyOf(std::uint64_t i) const;
  // As it is imported, without its body.
  Result<CachedItem> Entry(std::uint64_t i) const;
  // An encoded ResultBody of about 1 KiB.
  static std::string ValueOf(std::uint64_t i);

 private:
  CachedNoops(JobSpec spec, const Manifest& manifest, std::string identity)
      : spec_(std::move(spec)), manifest_(&manifest), identity_(std::move(identity)) {}
  Result<std::string> FormOf(std::uint64_t i) const;

  JobSpec spec_;  // canonical
  const Manifest* manifest_;
  std::string identity_;  // of the solver, as the broker's workers have it
};

}  // namespace icarus::bench
