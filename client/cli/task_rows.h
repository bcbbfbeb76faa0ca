// --from: a task a row. A JSON array of objects, JSON lines, or CSV with a header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/sweep.h"

namespace icarus::client {

struct TaskRows {
  std::vector<AxisColumn> columns;   // the parameters, in order of first appearance; null: not in this row
  std::vector<std::string> targets;  // of each row; empty: no row names one
  std::uint32_t rows = 0;
};

// Columns are parameters, and perhaps `target`. Texts are read as on the command line (1e6 is a number, -4:12:1 a
// list). The form is told by the first character. Usage errors name the row and the column.
Result<TaskRows> ParseTaskRows(std::string_view text);

}  // namespace icarus::client
