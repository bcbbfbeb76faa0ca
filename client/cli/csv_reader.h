// CSV as spreadsheets write it (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace icarus::client {

// The records of a text: cells in quotes may hold commas, line ends and doubled quotes; CRLF and a byte order mark are
// accepted; blank lines are skipped. A quote that is not closed is a usage error that names its line.
Result<std::vector<std::vector<std::string>>> ParseCsv(std::string_view text);

}  // namespace icarus::client
