#include "client/output/csv.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/base/text.h"

namespace icarus::client {
namespace {

using FlatRow = std::map<std::string, std::string>;

std::string ValueText(const Value& value) {
  if (value.is_number() && !std::isfinite(value.number())) return {};
  return FormatValue(value);
}

std::string ScalarText(const Json& json) {
  if (json.is_null()) return {};
  return json.is_string() ? json.get<std::string>() : DumpJson(json);
}

// Adds the object's cells to `row`, and to `names` those that are new.
void Flatten(const std::string& prefix, const Json& object, std::vector<std::string>& names, FlatRow& row) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_object()) {
      Flatten(name + ".", value, names, row);
      continue;
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    row[name] = ScalarText(value);
  }
}

std::vector<std::string> ResultHeader(const ResultTable& table) {
  std::vector<std::string> header = {"task", "state", "target", "solver"};
  for (const ParamColumn& param : table.params) header.push_back(param.title);
  header.insert(header.end(), table.columns.begin(), table.columns.end());
  header.emplace_back("error");
  return header;
}

}  // namespace

std::string CsvCell(std::string_view text) {
  const bool blank_end = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!blank_end && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    line += CsvCell(cells[i]);
  }
  return line + "\n";
}

std::string ResultCsv(const ResultTable& table) {
  std::string out = CsvLine(ResultHeader(table));
  std::vector<std::string> cells;
  for (const ResultRow& row : table.rows) {
    const ResultTask& task = table.tasks[row.task];
    cells = {FormatTask(task.ref), row.state(task), task.target, task.solver};
    for (const Value& param : task.params) cells.push_back(ValueText(param));
    for (const Value& cell : row.cells) cells.push_back(ValueText(cell));
    cells.push_back(row.error);
    out += CsvLine(cells);
  }
  return out;
}

std::string JsonToCsv(const Json& rows) {
  std::vector<std::string> names;
  std::vector<FlatRow> flat;
  const auto add = [&](const Json& object) { Flatten("", object, names, flat.emplace_back()); };
  if (rows.is_array()) {
    for (const Json& object : rows) add(object);
  } else {
    add(rows);
  }
  if (names.empty()) return {};
  std::string out = CsvLine(names);
  for (FlatRow& row : flat) {
    std::vector<std::string> cells;
    cells.reserve(names.size());
    for (const std::string& name : names) cells.push_back(row[name]);
    out += CsvLine(cells);
  }
  return out;
}

}  // namespace icarus::client
