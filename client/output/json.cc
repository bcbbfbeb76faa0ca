#include "client/output/json.h"

#include "client/output/derived.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

Json StringMapJson(const std::map<std::string, std::string>& map) {
  Json object = Json::object();
  for (const auto& [name, value] : map) object[name] = value;
  return object;
}

Json CountsJson(const JobSummary& job) {
  Json counts = {{"total", job.total}};
  for (int i = 0; i < kTaskStateCount; ++i) {
    const auto state = static_cast<TaskState>(i);
    counts[std::string(StateName(state))] = CountOf(job, state);
  }
  return counts;
}

// The names that the performance report uses for the same numbers.
Json TelemetryJson(const Telemetry& telemetry) {
  return {{"cpu_percent", NumberJson(telemetry.cpu_percent)},
          {"own_cpu_percent", NumberJson(telemetry.own_cpu_percent)},
          {"memory_percent", NumberJson(telemetry.memory_percent)},
          {"memory_used_mb", NumberJson(ToMebibytes(telemetry.memory_used_bytes))},
          {"memory_available_mb", NumberJson(ToMebibytes(telemetry.memory_available_bytes))},
          {"disk_usage_percent", NumberJson(telemetry.disk_percent)},
          {"disk_free_gb", NumberJson(ToMebibytes(telemetry.disk_free_bytes) / 1024)},
          {"timestamp", TimeJson(telemetry.wall_ms)}};
}

Json WorkerJson(const WorkerInfo& worker) {
  return {{"name", worker.name},
          {"host", worker.host},
          {"state", worker.state},
          {"held_reason", TextJson(worker.held_reason)},
          {"slots", worker.slots},
          {"running", worker.running},
          {"queued", worker.queued},
          {"solvers", StringMapJson(worker.solvers)},
          {"unusable_solvers", StringMapJson(worker.unusable_solvers)},
          {"labels", StringMapJson(worker.labels)},
          {"pid", worker.pid},
          {"last_seen_s", NumberJson(worker.last_seen_s)},
          {"completed", worker.completed},
          {"failed", worker.failed},
          {"memory_bytes", worker.memory_bytes},
          {"telemetry", TelemetryJson(worker.telemetry)}};
}

Json FailureJson(JobId job, const FailureGroup& group) {
  return {{"kind", TaskErrorName(group.kind)},
          {"message", group.message},
          {"count", group.count},
          {"example", FormatTask({job, group.example})}};
}

}  // namespace

Json SubmitJson(const SubmitReply& reply) {
  return {{"job", reply.job.value}, {"tasks", reply.tasks},       {"cached", reply.cached},
          {"probed", reply.probed}, {"existing", reply.existing}, {"warnings", reply.warnings}};
}

Json JobJson(const JobSummary& job) {
  return {{"job", job.job.value},
          {"name", TextJson(job.name)},
          {"analysis", job.analysis},
          {"solver", TextJson(job.solver)},
          {"state", StateName(job.state)},
          {"priority", job.priority},
          {"user", job.user},
          {"tags", StringMapJson(job.tags)},
          {"submitted_at", TimeJson(job.submitted_at_ms)},
          {"finished_at", TimeJson(job.finished_at_ms)},
          {"tasks", CountsJson(job)},
          {"cached", job.cached},
          {"joined", job.joined},
          {"incomplete", job.incomplete},
          {"strict", job.strict},
          {"progress", NumberJson(job.progress)},
          {"solver_identity", TextJson(job.solver_identity)}};
}

Json EventJson(const Event& event) {
  Json json = {{"seq", event.sequence}, {"time", TimeJson(event.at_ms)}, {"kind", event.kind}};
  if (event.job.value != 0) json["job"] = event.job.value;
  if (event.task) json["task"] = FormatTask({event.job, *event.task});
  if (!event.worker.empty()) json["worker"] = event.worker;
  if (!event.user.empty()) json["user"] = event.user;
  if (!event.detail.empty()) json["detail"] = event.detail;
  return json;
}

Json TaskErrorJson(const std::optional<TaskError>& error) {
  if (!error || error->kind == TaskErrorKind::kNone) return nullptr;
  Json json = {{"kind", TaskErrorName(error->kind)}, {"message", error->message}};
  if (error->exit_code) json["exit_code"] = *error->exit_code;
  if (error->signal) json["signal"] = *error->signal;
  return json;
}

Json AttemptJson(const AttemptRecord& attempt) {
  Json json = {{"attempt", attempt.attempt},
               {"generation", attempt.generation},
               {"worker", TextJson(attempt.worker)},
               {"host", TextJson(attempt.host)},
               {"error", TaskErrorJson(attempt.error)},
               {"run_s", NumberJson(attempt.run_s)},
               {"ended_at", TimeJson(attempt.ended_at_ms)}};
  if (attempt.cpu_s) json["cpu_s"] = NumberJson(*attempt.cpu_s);
  if (attempt.max_rss_bytes) json["max_rss_bytes"] = *attempt.max_rss_bytes;
  if (attempt.output_tail) json["output_tail"] = *attempt.output_tail;
  if (attempt.telemetry) json["telemetry"] = TelemetryJson(*attempt.telemetry);
  return json;
}

Json TaskJson(JobId job, const TaskSummary& task) {
  const bool done = task.state == TaskState::kCompleted;
  Json json = {{"task", FormatTask({job, task.index})},
               {"state", StateName(task.state)},
               {"attempt", task.attempt},
               {"worker", TextJson(task.worker)},
               {"cached", task.cached},
               {"target", TextJson(task.target)},
               {"params", ValueMapJson(task.params)},
               {"progress", done ? Json(1) : NumberJson(task.progress)},
               {"queue_wait_s", NumberJson(task.queue_wait_s)},
               {"run_s", NumberJson(task.run_s)},
               {"error", TaskErrorJson(task.error)}};
  if (task.history.empty()) return json;
  Json history = Json::array();
  for (const AttemptRecord& attempt : task.history) history.push_back(AttemptJson(attempt));
  json["history"] = std::move(history);
  return json;
}

Json JobsJson(const std::vector<JobSummary>& jobs) {
  Json array = Json::array();
  for (const JobSummary& job : jobs) array.push_back(JobJson(job));
  return array;
}

Json ShowJson(const ShowJobReply& reply) {
  Json json = JobJson(reply.job);
  Json items = Json::array();
  for (const TaskSummary& task : reply.items) items.push_back(TaskJson(reply.job.job, task));
  Json failures = Json::array();
  for (const FailureGroup& group : reply.failures) failures.push_back(FailureJson(reply.job.job, group));
  json["items"] = std::move(items);
  json["failures"] = std::move(failures);
  json["next"] = reply.next < reply.job.total ? Json(reply.next) : Json(nullptr);
  return json;
}

Json WorkersJson(const std::vector<WorkerInfo>& workers) {
  Json array = Json::array();
  for (const WorkerInfo& worker : workers) array.push_back(WorkerJson(worker));
  return array;
}

Json CacheJson(const CacheReply& reply) {
  const double hits = static_cast<double>(reply.hits);
  const double entries = static_cast<double>(reply.entries);
  const double bytes = static_cast<double>(reply.bytes);
  Json json{{"entries", reply.entries},
            {"size_mb", NumberJson(ToMebibytes(reply.bytes))},
            {"max_size_mb", NumberJson(ToMebibytes(reply.max_bytes))},
            {"max_entries", reply.max_entries},
            {"hits", reply.hits},
            {"misses", reply.misses},
            {"hit_rate_percent", NumberJson(Percent(hits, hits + static_cast<double>(reply.misses)))},
            {"evictions", reply.evictions},
            {"expirations", reply.expirations},
            {"utilization_percent", NumberJson(Percent(entries, static_cast<double>(reply.max_entries)))},
            {"bytes_utilization_percent", NumberJson(Percent(bytes, static_cast<double>(reply.max_bytes)))},
            {"joined", reply.joined},
            {"damaged", reply.damaged},
            {"dropped_puts", reply.dropped_puts},
            {"intermediate_hits", reply.value_hits},
            {"intermediate_misses", reply.value_misses}};
  if (!reply.paused.empty()) json["paused"] = reply.paused;
  return json;
}

Json MaintenanceJson(const UpkeepReply& reply) {
  return {{"cache_expired_cleaned", reply.expired},
          {"background_tasks_cleaned", reply.tasks_cleaned},
          {"memory_released", reply.bytes_freed}};
}

Json EmergencyJson(const UpkeepReply& reply) {
  return {{"cache_cleared", reply.cache_cleared},
          {"bytes_freed", reply.bytes_freed},
          {"background_tasks_cancelled", reply.stopped},
          {"requeued", reply.requeued}};
}

Json ConfigEntryJson(const ConfigEntry& entry) {
  Json value = entry.value;
  if (const auto number = ParseNumber(entry.value)) {
    value = NumberJson(*number);
  } else if (entry.value == "true" || entry.value == "false") {
    value = entry.value == "true";
  }
  return {{"key", entry.key}, {"value", std::move(value)}, {"origin", entry.origin}};
}

Json ConfigJson(const std::vector<ConfigEntry>& entries) {
  Json array = Json::array();
  for (const ConfigEntry& entry : entries) array.push_back(ConfigEntryJson(entry));
  return array;
}

Json ErrorJson(const Error& error) {
  Json body = {{"kind", ErrorKindName(error.code)}, {"message", error.message}};
  if (!error.field.empty()) body["field"] = error.field;
  if (error.retry_after_s) body["retry_after_s"] = NumberJson(*error.retry_after_s);
  return {{"error", std::move(body)}};
}

}  // namespace icarus::client
