// Results, fetched whole.
#pragma once

#include <cstdint>
#include <vector>

#include "client/cli/selectors.h"
#include "client/cli/session.h"
#include "client/output/task_result.h"

namespace icarus::client {

// Every task of a job, or the one task, in order. kNotFound when it is not there.
Result<std::vector<TaskResult>> FetchSelection(Client& client, const Selection& selection);

// The one task, which must have ended (kNotYet).
Result<TaskResult> FetchEndedTask(Client& client, TaskRef task);

// The job's state. kNotFound when it is not there.
Result<JobSummary> FetchJob(Client& client, JobId job);

// What `result` prints of a job or task that has ended (kNotYet), in the session's format; draws --plot.
Result<int> PrintResult(Session& session, const Selection& selection);

}  // namespace icarus::client
