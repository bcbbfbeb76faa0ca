// A program run for what it prints.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"

namespace icarus::client {

// Runs it to its end, without a shell, and returns its standard output. An error when it cannot be run or ends
// otherwise than with 0.
Result<std::string> CaptureOutput(const std::vector<std::string>& arguments);

}  // namespace icarus::client
