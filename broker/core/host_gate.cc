#include "broker/core/host_gate.h"

#include <cmath>

#include "common/base/text.h"

namespace icarus::broker {
namespace {

std::string Describe(const char* what, double percent, double limit, const char* setting) {
  return std::string(what) + " is " + FormatNumber(std::round(percent * 10) / 10) + " % in use, the limit is " +
         FormatNumber(limit) + " % (" + setting + ")";
}

// The first limit that is reached when each is taken to be lower by `margin`; empty: none.
std::string Exceeded(const Telemetry& sample, const HostLimits& limits, double margin) {
  if (sample.memory_percent >= limits.memory_percent - margin) {
    return Describe("its memory", sample.memory_percent, limits.memory_percent, "throttle.memory_percent");
  }
  if (sample.disk_percent >= limits.disk_percent - margin) {
    return Describe("the disk of its scratch directory", sample.disk_percent, limits.disk_percent,
                    "throttle.disk_percent");
  }
  return {};
}

}  // namespace

bool HostGate::OnSample(const Telemetry& sample, const HostLimits& limits, std::int64_t now_ms) {
  const bool held = !held_reason_.empty();
  std::string reason;
  if (limits.enabled) reason = Exceeded(sample, limits, held ? limits.resume_below_percent : 0);
  if (held == !reason.empty()) {
    held_reason_ = std::move(reason);  // with the numbers of now
    return false;
  }
  // A dwell that was asked for does not keep held what is not to be held at all.
  if (limits.enabled && changed_ms_ && now_ms - *changed_ms_ < limits.dwell_ms) return false;
  changed_ms_ = now_ms;
  held_reason_ = std::move(reason);
  return true;
}

}  // namespace icarus::broker
