#include "client/cli/exit_codes.h"

namespace icarus::client {

int ExitCodeOf(const JobSummary& job) {
  if (job.state != TaskState::kCompleted) return kExitIncomplete;
  return job.strict && job.incomplete > 0 ? kExitIncomplete : kExitDone;
}

int RunExitCode(const TaskSummary& task) {
  if (task.state == TaskState::kCompleted) return kExitDone;
  if (task.state == TaskState::kTimedOut) return kExitRunTimedOut;
  if (task.state != TaskState::kFailed || !task.error) return kExitRunIcarus;
  if (task.error->exit_code && *task.error->exit_code != 0) return *task.error->exit_code;
  if (task.error->signal) return kExitRunSignal + *task.error->signal;
  return kExitRunIcarus;
}

}  // namespace icarus::client
