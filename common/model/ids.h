// The identities of the domain. Each is issued by the broker alone, except instance ids, which a process draws itself.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "common/base/strong_id.h"

namespace icarus {

using JobId = StrongId<struct JobIdTag>;              // 1, 2, 3 …; never reused, also across restarts
using ExecutionId = StrongId<struct ExecutionIdTag>;  // boot epoch << 40 | sequence
using Token = StrongId<struct TokenTag>;              // one a dispatch of an execution; the same layout
using WorkerId = StrongId<struct WorkerIdTag>;        // one a registered worker instance, within a boot

using TaskIndex = std::uint32_t;  // within a job, from 0

struct TaskRef {
  JobId job;
  TaskIndex index = 0;
  auto operator<=>(const TaskRef&) const = default;
};

inline std::string FormatTask(TaskRef task) {
  return std::to_string(task.job.value) + "." + std::to_string(task.index);
}

}  // namespace icarus
