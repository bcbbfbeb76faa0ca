#include "tests/sim/fault_plan.h"

namespace icarus::sim {

const char* FaultName(Fault fault) {
  static constexpr const char* kNames[kFaultCount] = {
      "broker-crash", "worker-crash", "pause",     "partition",  "reset",        "loss",         "duplication",
      "reordering",   "clock",        "disk-full", "disk-error", "cache-damage", "solver-crash", "drain"};
  return kNames[static_cast<int>(fault)];
}

FaultPlan FaultPlan::Draw(Random& random, std::uint32_t without) {
  FaultPlan plan;
  // One run in eight has none, one in four has one kind, the others several.
  const std::uint64_t kind = random.Below(8);
  const std::uint64_t only = random.Below(kFaultCount);
  for (int i = 0; i < kFaultCount; ++i) {
    const bool drawn = random.Below(5) < 2;
    plan.enabled[i] = kind == 0 ? false : kind <= 2 ? static_cast<int>(only) == i : drawn;
    if ((without >> i & 1) != 0) plan.enabled[i] = false;
  }
  plan.rate = 0.3 + 3 * random.Unit();
  return plan;
}

std::string FaultPlan::Describe() const {
  std::string text;
  for (int i = 0; i < kFaultCount; ++i) {
    if (enabled[i]) text += (text.empty() ? "" : " ") + std::string(FaultName(static_cast<Fault>(i)));
  }
  return text.empty() ? "none" : text;
}

}  // namespace icarus::sim
