#include "client/cli/since.h"

#include "common/base/clock.h"
#include "common/base/text.h"

namespace icarus::client {

Result<std::int64_t> ParseSince(const std::string& text) {
  if (text.empty()) return 0;
  if (const std::int64_t date = ParseUtc(text); date >= 0) return date;
  const auto ago = ParseDurationMs(text);
  if (ago) return ReadClocks().wall_ms - *ago;
  return UsageError("--since '" + text + "' is neither a duration (2h) nor a date (2026-11-23 or 2026-11-23T12:00:00Z)",
                    "since");
}

}  // namespace icarus::client
