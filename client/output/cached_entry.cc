#include "client/output/cached_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/output/csv.h"
#include "client/output/json.h"
#include "client/output/result_json.h"
#include "client/output/result_table.h"
#include "client/output/text_table.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr std::size_t kShownOfKey = 12;

Result<Value> ValueOf(const Json& json) {
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number()) return Value(json.get<double>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (!json.is_array()) return CorruptionError("a parameter of a cached entry cannot be read");
  Value::List list;
  for (const Json& item : json) {
    ICARUS_ASSIGN(Value value, ValueOf(item));
    list.push_back(std::move(value));
  }
  return Value(std::move(list));
}

TaskResult AsTaskResult(const CachedEntry& entry, std::size_t index) {
  TaskResult result;
  result.item.task.index = static_cast<TaskIndex>(index);
  result.item.task.state = entry.item.error ? TaskState::kFailed : TaskState::kCompleted;
  result.item.task.error = entry.item.error;
  result.item.task.target = entry.item.target;
  result.item.task.params = entry.params;
  result.item.solver = entry.item.solver;
  result.item.identity = entry.item.identity;
  result.body = entry.body;
  return result;
}

std::string ParamsText(const ValueMap& params) {
  std::string text;
  for (const auto& [name, value] : params) {
    if (value.is_null()) continue;
    text += (text.empty() ? "" : " ") + name + "=" + FormatValue(value);
  }
  return text;
}

// A program calls its intermediate value by a JSON text; what an object of it says plainly is as good as parameters.
void AddMembersOfKey(const Json& key, ValueMap& params) {
  const Json members = key.is_string() ? Json::parse(key.get<std::string>(), nullptr, false) : Json();
  if (!members.is_object()) return;
  for (const auto& [name, json] : members.items()) {
    if (Result<Value> value = ValueOf(json)) params.emplace(name, std::move(*value));
  }
}

std::string OriginName(CacheOrigin origin) {
  switch (origin) {
    case CacheOrigin::kImport: return "import";
    case CacheOrigin::kIntermediate: return "intermediate";
    case CacheOrigin::kComputed: break;
  }
  return "computed";
}

}  // namespace

Result<ValueMap> ParamsOfForm(const std::string& form) {
  ValueMap params;
  if (form.empty()) return params;
  const Json document = Json::parse(form, nullptr, false);
  if (!document.is_object() || !document.contains("params")) {
    return CorruptionError("the canonical form of a cached entry cannot be read");
  }
  for (const auto& [name, json] : document["params"].items()) {
    ICARUS_ASSIGN(Value value, ValueOf(json));
    params.emplace(name, std::move(value));
  }
  if (document.contains("intermediate")) AddMembersOfKey(document["intermediate"], params);
  return params;
}

Json IntermediateJson(const CachedEntry& entry) {
  Json value = entry.encoded ? Json::parse(*entry.encoded, nullptr, false) : Json();
  return value.is_discarded() ? Json() : value;
}

Json CachedEntryJson(const CachedEntry& entry, bool with_body) {
  const CachedItem& item = entry.item;
  Json json = {{"key", item.key.Hex()},
               {"analysis", item.analysis},
               {"solver", item.solver},
               {"identity", item.identity},
               {"target", item.target.empty() ? Json() : TextJson(item.target)},
               {"params", ValueMapJson(entry.params)},
               {"computed_at", TimeJson(item.computed_at_ms)},
               {"expires_at", item.expires_at_ms == 0 ? Json() : TimeJson(item.expires_at_ms)},
               {"size_bytes", item.size_bytes},
               {"compute_s", NumberJson(item.compute_s)},
               {"host", item.host},
               {"origin", OriginName(item.origin)},
               {"incomplete", item.incomplete},
               {"error", TaskErrorJson(item.error)}};
  if (!with_body) return json;
  if (item.origin == CacheOrigin::kIntermediate) {
    json["value"] = IntermediateJson(entry);
    return json;
  }
  const Json result = TaskResultJson(AsTaskResult(entry, 0));
  for (const char* part : {"columns", "rows", "missing", "summary", "warnings"}) json[part] = result.at(part);
  return json;
}

std::string CachedTableText(const std::vector<CachedEntry>& entries, std::int64_t now_wall_ms, const TextStyle& style) {
  TextTable table;
  for (const char* title : {"key", "analysis", "solver", "target"}) table.AddColumn(title);
  for (const char* title : {"size", "cost", "age"}) table.AddColumn(title, Align::kRight);
  table.AddColumn("origin");
  table.AddColumn("failure");
  table.AddColumn("parameters");
  for (const CachedEntry& entry : entries) {
    const CachedItem& item = entry.item;
    const double age_s = static_cast<double>(now_wall_ms - item.computed_at_ms) / 1000;
    table.AddRow({item.key.Hex().substr(0, kShownOfKey), item.analysis, item.solver + "@" + item.identity, item.target,
                  FormatSize(item.size_bytes), FormatDuration(item.compute_s), FormatDuration(std::max(0.0, age_s)),
                  item.origin == CacheOrigin::kComputed ? "" : OriginName(item.origin),
                  item.error ? std::string(TaskErrorName(item.error->kind)) : "", ParamsText(entry.params)});
  }
  table.DropEmptyColumns();
  return table.Render(style);
}

void CachedTableShape::Add(const CachedEntry& entry) { shape_.Add(AsTaskResult(entry, 0)); }

std::string CachedTableShape::Header() const {
  std::vector<std::string> cells = {"key", "target", "solver"};
  for (const ParamColumn& param : shape_.Params()) cells.push_back(param.title);
  cells.insert(cells.end(), shape_.columns().begin(), shape_.columns().end());
  return CsvLine(cells);
}

std::string CachedTableShape::Rows(const std::vector<CachedEntry>& entries) const {
  std::vector<TaskResult> results;
  results.reserve(entries.size());
  for (const CachedEntry& entry : entries) results.push_back(AsTaskResult(entry, results.size()));
  const ResultTable table = FoldResults(results, shape_);
  std::string out;
  std::vector<std::string> cells;
  for (const ResultRow& row : table.rows) {
    if (row.kind == RowKind::kMissing || entries[row.task].item.error) continue;
    const ResultTask& task = table.tasks[row.task];
    cells = {entries[row.task].item.key.Hex(), task.target, task.solver};
    for (const Value& param : task.params) cells.push_back(FormatValue(param));
    for (const Value& cell : row.cells) cells.push_back(FormatValue(cell));
    out += CsvLine(cells);
  }
  return out;
}

std::string CachedCsv(const std::vector<CachedEntry>& entries) {
  CachedTableShape shape;
  for (const CachedEntry& entry : entries) shape.Add(entry);
  return shape.Header() + shape.Rows(entries);
}

}  // namespace icarus::client
