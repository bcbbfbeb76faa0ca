// Selections as requests want them: a job with some of its tasks.
#pragma once

#include <vector>

#include "client/cli/selectors.h"
#include "common/model/ids.h"

namespace icarus::client {

struct TaskGroup {
  JobId job;
  std::vector<TaskIndex> tasks;  // empty: the whole job
};

// One group a job, in the order of their first mention; a job named as a whole needs none of its tasks.
std::vector<TaskGroup> GroupByJob(const std::vector<Selection>& selections);

}  // namespace icarus::client
