// TaskResult: one task's result as the client holds it, its body decoded. What every view of results is made from.
#pragma once

#include "common/model/ids.h"
#include "common/model/result_body.h"
#include "common/protocol/messages.h"

namespace icarus::client {

// A task that did not complete has its error in item.task, and an empty body unless the attempt left partial results.
struct TaskResult {
  JobId job;
  ResultItem item;
  ResultBody body;

  TaskRef ref() const { return TaskRef{job, item.task.index}; }
};

}  // namespace icarus::client
