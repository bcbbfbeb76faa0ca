#include "common/base/crash_point.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "common/base/text.h"

namespace icarus {
namespace {

struct Plan {
  std::string name;
  std::int64_t passage = 0;
};

Plan ReadPlan() {
  const char* text = std::getenv("ICARUS_CRASH_AT");
  if (text == nullptr) return {};
  const std::string plan = text;
  const auto colon = plan.rfind(':');
  if (colon == std::string::npos) return {plan, 1};
  return {plan.substr(0, colon), ParseInteger(plan.substr(colon + 1)).value_or(1)};
}

}  // namespace

void CrashPoint(std::string_view name) {
  static const Plan plan = ReadPlan();
  static std::atomic<std::int64_t> passages{0};
  if (plan.name.empty() || plan.name != name) return;
  if (++passages == plan.passage) ::_exit(kCrashExitCode);
}

}  // namespace icarus
