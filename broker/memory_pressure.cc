#include "broker/memory_pressure.h"

#include <cstdint>
#include <string>

#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

// The number after `name` in /proc/meminfo.
std::optional<double> NumberOf(const std::string& meminfo, const std::string& name) {
  const std::size_t at = meminfo.find(name);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t first = meminfo.find_first_of("0123456789", at);
  if (first == std::string::npos) return std::nullopt;
  return ParseNumber(meminfo.substr(first, meminfo.find_first_not_of("0123456789", first) - first));
}

}  // namespace

std::optional<double> MemoryInUsePercent() {
  constexpr std::uint64_t kMostBytes = 64u << 10;
  const Result<std::string> meminfo = ReadFile("/proc/meminfo", kMostBytes);
  if (!meminfo) return std::nullopt;
  const auto total = NumberOf(*meminfo, "MemTotal:");
  const auto available = NumberOf(*meminfo, "MemAvailable:");
  if (!total || !available || *total <= 0) return std::nullopt;
  return 100 * (1 - *available / *total);
}

bool MemoryPressure::Update(double in_use_percent, double limit_percent, double resume_below_percent) {
  const bool was_short = short_;
  if (in_use_percent > limit_percent) short_ = true;
  if (in_use_percent < limit_percent - resume_below_percent) short_ = false;
  return short_ != was_short;
}

}  // namespace icarus::broker
