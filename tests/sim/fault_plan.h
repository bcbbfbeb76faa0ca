// What goes wrong in one run, and how often: drawn from its seed.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/random.h"
#include "tests/sim/scheduler.h"

namespace icarus::sim {

enum class Fault : std::uint8_t {
  kBrokerCrash,
  kWorkerCrash,
  kPause,        // a process is stopped for a while, and goes on
  kPartition,    // one way or both, for a while
  kReset,        // a connection breaks; what was on its way is lost
  kLoss,         // single messages
  kDuplication,  // single messages
  kReordering,
  kClock,        // wall clocks jump, monotonic ones run fast or slow
  kDiskFull,     // for a while
  kDiskError,    // EIO: the broker ends at once
  kCacheDamage,  // a cached value is damaged or gone
  kSolverCrash,  // an attempt crashes, does not converge, hangs, or kills its worker
  kDrain,        // a worker is asked to leave
};
inline constexpr int kFaultCount = 14;
const char* FaultName(Fault fault);

struct FaultPlan {
  bool enabled[kFaultCount] = {};
  double rate = 1;  // all of them, relative to the usual

  bool Has(Fault fault) const { return enabled[static_cast<int>(fault)]; }
  std::string Describe() const;

  // `without`: a bit a fault that is left out, to shorten a failing run.
  static FaultPlan Draw(Random& random, std::uint32_t without);
};

}  // namespace icarus::sim
