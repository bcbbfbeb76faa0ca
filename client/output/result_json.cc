#include "client/output/result_json.h"

#include "client/output/derived.h"
#include "client/output/json.h"

namespace icarus::client {
namespace {

const char* ViaName(ResultVia via) {
  switch (via) {
    case ResultVia::kComputed: return "computed";
    case ResultVia::kCache: return "cache";
    case ResultVia::kJoined: return "joined";
    case ResultVia::kImport: return "import";
  }
  return "computed";
}

Json RowsJson(const std::vector<std::vector<Value>>& rows) {
  Json array = Json::array();
  for (const auto& row : rows) {
    Json cells = Json::array();
    for (const Value& cell : row) cells.push_back(ValueJson(cell));
    array.push_back(std::move(cells));
  }
  return array;
}

Json MissingJson(const std::vector<MissingPoint>& missing) {
  Json array = Json::array();
  for (const MissingPoint& point : missing) {
    Json json = ValueMapJson(point.at);
    json["reason"] = point.reason;
    array.push_back(std::move(json));
  }
  return array;
}

Json FilesJson(const ResultBody& body) {
  Json array = Json::array();
  for (const FileRef& file : body.files) {
    array.push_back({{"name", file.name}, {"size", file.size}, {"hash", file.hash.Hex()}});
  }
  return array;
}

Json MetaJson(const ResultItem& item) {
  const SolverVersion solver = SplitIdentity(item.identity);
  Json json = {{"solver", TextJson(item.solver)},
               {"version", TextJson(solver.version)},
               {"build", TextJson(solver.build)},
               {"key", TextJson(item.key)},
               {"computed_at", TimeJson(item.computed_at_ms)},
               {"host", TextJson(item.host)},
               {"compute_s", NumberJson(item.compute_s)},
               {"via", ViaName(item.via)}};
  if (item.key_params) json["key_params"] = ValueMapJson(*item.key_params);
  return json;
}

}  // namespace

Json TaskResultJson(const TaskResult& result) {
  const TaskSummary& task = result.item.task;
  Json json = {{"task", FormatTask(result.ref())},
               {"state", StateName(task.state)},
               {"target", TextJson(task.target)},
               {"params", ValueMapJson(task.params)},
               {"columns", result.body.columns},
               {"rows", RowsJson(result.body.rows)},
               {"missing", MissingJson(result.body.missing)},
               {"summary", ValueMapJson(result.body.summary)},
               {"warnings", result.body.warnings},
               {"files", FilesJson(result.body)},
               {"meta", MetaJson(result.item)}};
  if (task.state != TaskState::kCompleted) json["error"] = TaskErrorJson(task.error);
  return json;
}

Json JobResultJson(JobId job, const std::vector<TaskResult>& results) {
  Json completed = Json::array();
  Json failed = Json::array();
  for (const TaskResult& result : results) {
    const TaskState state = result.item.task.state;
    if (state == TaskState::kCompleted) {
      completed.push_back(TaskResultJson(result));
    } else if (IsFinal(state)) {
      failed.push_back(TaskJson(job, result.item.task));
    }
  }
  return {{"job", job.value}, {"results", std::move(completed)}, {"failed", std::move(failed)}};
}

}  // namespace icarus::client
