// The JSON shapes of results: of a task, and of a job.
#pragma once

#include <vector>

#include "client/output/json_text.h"
#include "client/output/task_result.h"

namespace icarus::client {

// One task's result. A task that did not complete has "error" in addition, and what rows its attempt left.
Json TaskResultJson(const TaskResult& result);

// {"job","results":[completed tasks…],"failed":[task objects of those that ended otherwise…]}, each in the order of
// `results`. Tasks that are not final are in neither.
Json JobResultJson(JobId job, const std::vector<TaskResult>& results);

}  // namespace icarus::client
