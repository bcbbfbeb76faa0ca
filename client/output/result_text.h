// Results for people: one table, a row a point, then a line of summary a task, and what is not there.
#pragma once

#include <string>
#include <vector>

#include "client/output/display.h"
#include "client/output/task_result.h"

namespace icarus::client {

// What all tasks share stands above the table, once. Without any result columns (commands) a row is a task and its
// columns are the summary's. Ends with a newline.
std::string ResultText(const std::vector<TaskResult>& results, const TextStyle& style);

}  // namespace icarus::client
