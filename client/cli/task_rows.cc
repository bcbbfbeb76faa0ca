#include "client/cli/task_rows.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "client/cli/csv_reader.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

using Json = nlohmann::ordered_json;

Error AtRow(std::size_t row, const std::string& column, const std::string& what) {
  return UsageError("row " + std::to_string(row + 1) + (column.empty() ? "" : ", " + column) + ": " + what,
                    column.empty() ? "from" : column);
}

// Collects cells by column; a column that appears late is null in the rows before.
class Collector {
 public:
  Status BeginRow() {
    if (rows_.rows == limits::kMaxTableRows) {
      return Error::Make(ErrorCode::kRefused, "more than " + std::to_string(limits::kMaxTableRows) +
                                                  " rows, the limit of one job (limits.table_rows)");
    }
    ++rows_.rows;
    target_.reset();
    return {};
  }

  Status Put(const std::string& column, Value value) {
    if (column == "target") {
      if (target_) return AtRow(rows_.rows - 1, column, "is there twice");
      target_ = FormatValue(value);
      return {};
    }
    const auto [found, added] = position_.try_emplace(column, rows_.columns.size());
    if (added) rows_.columns.push_back({column, {}});
    std::vector<Value>& cells = rows_.columns[found->second].values.list;
    if (cells.size() == rows_.rows) return AtRow(rows_.rows - 1, column, "is there twice");
    cells.resize(rows_.rows - 1);
    cells.push_back(std::move(value));
    return {};
  }

  Status EndRow() {
    if (target_.has_value() && rows_.rows > 1 && rows_.targets.empty()) {
      return AtRow(0, "target", "is not given, but a later row has one");
    }
    if (!target_ && !rows_.targets.empty()) return AtRow(rows_.rows - 1, "target", "is not given");
    if (target_) rows_.targets.push_back(*target_);
    return {};
  }

  Result<TaskRows> Finish() {
    if (rows_.rows == 0) return UsageError("there is no row", "from");
    for (AxisColumn& column : rows_.columns) column.values.list.resize(rows_.rows);
    return std::move(rows_);
  }

  std::size_t row() const { return rows_.rows - 1; }

 private:
  TaskRows rows_;
  std::map<std::string, std::size_t> position_;
  std::optional<std::string> target_;  // of the row under way
};

Result<Value> FromText(const std::string& text) {
  if (Trim(text).empty()) return Value();
  return ParseValue(text);
}

Result<Value> FromJson(const Json& json) {
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number()) return Value(json.get<double>());
  if (json.is_string()) return FromText(json.get<std::string>());
  if (!json.is_array()) return UsageError("is an object; a value or a list is meant here");
  Value::List list;
  for (const Json& item : json) {
    ICARUS_ASSIGN(Value value, FromJson(item));
    list.push_back(std::move(value));
  }
  return Value(std::move(list));
}

// The text as it stands: a target "0012" stays that.
Result<Value> CellValue(const std::string& column, const std::string& text) {
  if (column == "target") return Value(std::string(Trim(text)));
  return FromText(text);
}

Status CollectObject(Collector& rows, const Json& object) {
  ICARUS_TRY(rows.BeginRow());
  if (!object.is_object()) return AtRow(rows.row(), "", "is not an object of parameters");
  for (const auto& [name, json] : object.items()) {
    auto value = name == "target" && json.is_string() ? CellValue(name, json.get<std::string>()) : FromJson(json);
    if (!value) return AtRow(rows.row(), name, value.error().message);
    ICARUS_TRY(rows.Put(name, std::move(*value)));
  }
  return rows.EndRow();
}

Result<TaskRows> FromJsonText(std::string_view text) {
  Collector rows;
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_array()) {
    for (const Json& object : document) ICARUS_TRY(CollectObject(rows, object));
    return rows.Finish();
  }
  std::size_t line_number = 0;
  for (const std::string& line : Split(text, '\n')) {
    ++line_number;
    if (Trim(line).empty()) continue;
    const Json object = Json::parse(line, nullptr, false);
    if (object.is_discarded()) {
      return UsageError(
          "line " + std::to_string(line_number) + " is not JSON; an array of objects or an object a line is meant",
          "from");
    }
    ICARUS_TRY(CollectObject(rows, object));
  }
  return rows.Finish();
}

Result<TaskRows> FromCsvText(std::string_view text) {
  ICARUS_ASSIGN(const auto records, ParseCsv(text));
  if (records.size() < 2) return UsageError("a header line and a line a task are needed", "from");
  std::vector<std::string> header;
  for (const std::string& name : records.front()) header.emplace_back(Trim(name));
  Collector rows;
  for (std::size_t i = 1; i < records.size(); ++i) {
    ICARUS_TRY(rows.BeginRow());
    if (records[i].size() != header.size()) {
      return AtRow(i - 1, "",
                   "has " + std::to_string(records[i].size()) + " cells, the header " + std::to_string(header.size()));
    }
    for (std::size_t c = 0; c < header.size(); ++c) {
      if (header[c].empty()) return UsageError("a column has no name in the header", "from");
      auto value = CellValue(header[c], records[i][c]);
      if (!value) return AtRow(i - 1, header[c], value.error().message);
      ICARUS_TRY(rows.Put(header[c], std::move(*value)));
    }
    ICARUS_TRY(rows.EndRow());
  }
  return rows.Finish();
}

}  // namespace

Result<TaskRows> ParseTaskRows(std::string_view text) {
  const std::string_view start = Trim(text);
  if (start.empty()) return UsageError("there is no row", "from");
  return start.front() == '[' || start.front() == '{' ? FromJsonText(text) : FromCsvText(text);
}

}  // namespace icarus::client
