// The built-in analysis `noop`: sleeps, makes bytes, does nothing else. Runs within the worker, without a process.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.h"
#include "common/model/value.h"
#include "worker/core/timing.h"

namespace icarus::worker {

inline constexpr std::string_view kNoopName = "noop";  // of the analysis and of its solver

struct NoopPlan {
  Instant sleep{0};
  std::uint64_t bytes = 0;  // of the result; 0: it has no body
};

Result<NoopPlan> ReadNoopPlan(const ValueMap& params);

}  // namespace icarus::worker
