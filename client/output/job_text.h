// Jobs and tasks for people. Each text ends with a newline unless it says "line".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/output/display.h"
#include "common/protocol/messages.h"

namespace icarus::client {

// The line "job 7: 60 tasks, 12 cached"; says so when the job was there already, or when not all tasks were looked up.
std::string SubmitLine(const SubmitReply& reply);

// The table of `list`; ages are counted to `now_wall_ms`.
std::string JobTableText(const std::vector<JobSummary>& jobs, std::int64_t now_wall_ms, const TextStyle& style);

// The line "showing 50 of 812"; empty when all are shown.
std::string ShowingLine(std::uint64_t shown, std::uint64_t matching);

// What `show` prints: the job, its tasks, its failures by group.
std::string ShowText(const ShowJobReply& reply, const TextStyle& style);

// The table of tasks within `show`: its parameters are those that differ among these tasks.
std::string TaskTableText(JobId job, const std::vector<TaskSummary>& tasks, const TextStyle& style);

// The ended attempts of one task, and the last lines that the last of them wrote. Empty when there are none.
std::string AttemptsText(const TaskSummary& task, const TextStyle& style);

// A line a failure group, the most frequent first, at most `most`, then the command that shows the rest. Empty without
// failures.
std::string FailuresText(JobId job, const std::vector<FailureGroup>& failures, std::size_t most);

// The line at a job's end: "job 7 completed: 60 tasks: 60 completed (12 cached) in 21.3 s".
std::string JobEndLine(const JobSummary& job);

}  // namespace icarus::client
