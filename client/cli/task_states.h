// --state of the command line.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/task_state.h"

namespace icarus::client {

// Names, also several in one text with commas between them. A usage error names the nearest.
Result<std::vector<TaskState>> ParseStates(const std::vector<std::string>& texts);

}  // namespace icarus::client
