// A machine's clocks: the monotonic one may run fast or slow, the wall clock may jump.
#pragma once

#include <cmath>

#include "common/base/clock.h"
#include "tests/sim/scheduler.h"

namespace icarus::sim {

struct NodeClock {
  Time start = 0;   // what the monotonic clock shows at the beginning of the run
  double rate = 1;  // of the monotonic clock
  std::int64_t wall_ms = 1'700'000'000'000;

  Now At(Time time) const {
    Now now;
    now.monotonic = std::chrono::nanoseconds(start + static_cast<Time>(static_cast<double>(time) * rate));
    now.wall_ms = wall_ms + time / kMillisecond;
    return now;
  }
  // When the monotonic clock will show that; never before.
  Time WhenShows(std::chrono::nanoseconds monotonic) const {
    return static_cast<Time>(std::ceil(static_cast<double>(monotonic.count() - start) / rate)) + 1;
  }
};

}  // namespace icarus::sim
