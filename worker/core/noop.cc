#include "worker/core/noop.h"

#include <cmath>

#include "common/model/limits.h"

namespace icarus::worker {
namespace {

constexpr double kLongestSleep_s = 365.0 * 86400;

Result<double> ReadNumber(const ValueMap& params, std::string_view name, double last) {
  const auto found = params.find(name);
  if (found == params.end()) return 0.0;
  const Value& value = found->second;
  if (value.is_number() && value.number() >= 0 && value.number() <= last) return value.number();
  return UsageError(
      std::string(name) + " is " + FormatValue(value) + ", not a number between 0 and " + FormatValue(Value(last)),
      std::string(name));
}

}  // namespace

Result<NoopPlan> ReadNoopPlan(const ValueMap& params) {
  ICARUS_ASSIGN(const double sleep_s, ReadNumber(params, "sleep_s", kLongestSleep_s));
  ICARUS_ASSIGN(const double bytes, ReadNumber(params, "bytes", static_cast<double>(limits::kMaxResultBytes)));
  NoopPlan plan;
  plan.sleep = Instant(std::llround(sleep_s * 1e9));
  plan.bytes = static_cast<std::uint64_t>(bytes);
  return plan;
}

}  // namespace icarus::worker
