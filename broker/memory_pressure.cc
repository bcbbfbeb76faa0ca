#include "broker/memory_pressure.h"

#include <string>

#include "common/base/small_file.h"

namespace icarus::broker {

std::optional<double> MemoryInUsePercent() {
  const std::string meminfo = ReadSmallFile("/proc/meminfo");
  const auto total = NumberAfter(meminfo, "MemTotal:");
  const auto available = NumberAfter(meminfo, "MemAvailable:");
  if (!total || !available || *total == 0) return std::nullopt;
  return 100 * (1 - static_cast<double>(*available) / static_cast<double>(*total));
}

bool MemoryPressure::Update(double in_use_percent, double limit_percent, double resume_below_percent) {
  const bool was_short = short_;
  if (in_use_percent > limit_percent) short_ = true;
  if (in_use_percent < limit_percent - resume_below_percent) short_ = false;
  return short_ != was_short;
}

}  // namespace icarus::broker
