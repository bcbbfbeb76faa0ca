// CSV (RFC 4180 quoting, lines ended by "\n", numbers shortest round trip, empty cells for what is not there).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/output/json_text.h"
#include "client/output/result_table.h"

namespace icarus::client {

// Quoted only where RFC 4180 asks for it: a comma, a quote, a line end, or a blank at either end.
std::string CsvCell(std::string_view text);
std::string CsvLine(const std::vector<std::string>& cells);

// task,state,target,solver,<params>,<columns>,error: a line a point, a line a missing point, a line a task without
// rows.
std::string ResultCsv(const ResultTable& table);

// Any array of JSON objects as a table: nested objects become columns named `outer.inner`, lists their JSON text. The
// header is the union of the names in order of first appearance. One object alone is one line.
std::string JsonToCsv(const Json& rows);

}  // namespace icarus::client
