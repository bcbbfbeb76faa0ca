// Deadlines for poll, in the clock that decides (CLOCK_MONOTONIC).
#pragma once

#include <algorithm>
#include <chrono>

#include "common/base/clock.h"

namespace icarus::worker {

using Instant = std::chrono::nanoseconds;  // since an arbitrary origin, as Now::monotonic

inline constexpr Instant kNever = Instant::max();

inline Instant MonotonicNow() { return ReadClocks().monotonic; }

// For poll: milliseconds until the deadline, rounded up so that it has passed on return; −1 for kNever.
inline int PollTimeout(Instant deadline, Instant now) {
  if (deadline == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace icarus::worker
