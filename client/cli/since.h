// --since: from when on the things listed are meant.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace icarus::client {

// A date, or how long ago: milliseconds since 1970 UTC; 0 for an empty text (from the beginning). Anything else is a
// usage error that names both forms.
Result<std::int64_t> ParseSince(const std::string& text);

}  // namespace icarus::client
