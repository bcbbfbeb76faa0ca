// The JSON shapes of jobs, tasks and the broker's own state. Fields are stable: they are only ever added, and always
// present; null is what does not apply or is not known. Times are ISO 8601 UTC, durations seconds.
#pragma once

#include <vector>

#include "client/output/json_text.h"
#include "common/base/error.h"
#include "common/protocol/messages.h"

namespace icarus::client {

Json SubmitJson(const SubmitReply& reply);
Json JobJson(const JobSummary& job);
Json TaskJson(JobId job, const TaskSummary& task);
// Null when there is no error.
Json TaskErrorJson(const std::optional<TaskError>& error);
Json JobsJson(const std::vector<JobSummary>& jobs);
// The job with "items" and "failures"; "next" is the index to go on from, null when there is no more.
Json ShowJson(const ShowJobReply& reply);
Json WorkersJson(const std::vector<WorkerInfo>& workers);
// size_mb and max_size_mb are in the unit of the setting cache.max_size_mb, 2^20 bytes.
Json CacheJson(const CacheReply& reply);
// {"cache_expired_cleaned","background_tasks_cleaned","memory_released"}, the last in bytes
Json MaintenanceJson(const UpkeepReply& reply);
// {"cache_cleared","bytes_freed","background_tasks_cancelled","requeued"}
Json EmergencyJson(const UpkeepReply& reply);
// {"key","value","origin"}; a value that is a number or a truth value is one here too.
Json ConfigEntryJson(const ConfigEntry& entry);
Json ConfigJson(const std::vector<ConfigEntry>& entries);
// {"seq","time","kind","job"?,"task"?,"worker"?,"user"?,"detail"?}, of its first task; what does not apply is left out.
Json EventJson(const Event& event);
// {"error":{"kind","message","field"?,"retry_after_s"?}}
Json ErrorJson(const Error& error);

}  // namespace icarus::client
