#include "client/output/result_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "client/output/column_format.h"
#include "client/output/derived.h"
#include "client/output/result_table.h"
#include "client/output/text_table.h"
#include "client/output/words.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

// A table of values with a precision a column; words and truth values are left-aligned, numbers right.
class ValueColumns {
 public:
  using Rows = std::vector<const std::vector<Value>*>;  // not owned, read by the constructor only

  ValueColumns(std::vector<std::string> names, const Rows& rows) : names_(std::move(names)) {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      std::vector<double> numbers;
      bool words = false;
      for (const auto* row : rows) {
        const Value& value = (*row)[c];
        if (value.is_number()) numbers.push_back(value.number());
        words |= !value.is_number() && !value.is_null();
      }
      formats_.push_back(ColumnFormat::For(names_[c], numbers));
      aligns_.push_back(words ? Align::kLeft : Align::kRight);
    }
  }
  void AddTo(TextTable& table) const {
    for (std::size_t c = 0; c < names_.size(); ++c) table.AddColumn(names_[c], aligns_[c]);
  }
  Cell Format(std::size_t column, const Value& value) const { return formats_[column].Format(value); }
  std::size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::vector<ColumnFormat> formats_;
  std::vector<Align> aligns_;
};

ValueColumns::Rows PointersTo(const std::vector<std::vector<Value>>& rows) {
  ValueColumns::Rows pointers;
  for (const auto& row : rows) pointers.push_back(&row);
  return pointers;
}

// The names of the table's rows: task, target, solver and parameters, as far as they differ from task to task.
class TaskLabels {
 public:
  explicit TaskLabels(const ResultTable& table) : table_(table), params_(Columns(table)) {}

  void AddTo(TextTable& text) const {
    if (table_.tasks.size() > 1) text.AddColumn("task", Align::kRight);
    if (table_.target_varies) text.AddColumn("target");
    if (table_.solver_varies) text.AddColumn("solver");
    params_.AddTo(text);
  }
  void Append(std::vector<Cell>& cells, const ResultTask& task) const {
    if (table_.tasks.size() > 1) cells.emplace_back(FormatTask(task.ref));
    if (table_.target_varies) cells.emplace_back(task.target);
    if (table_.solver_varies) cells.emplace_back(task.solver);
    std::size_t c = 0;
    for (std::size_t p = 0; p < table_.params.size(); ++p) {
      if (table_.params[p].varies) cells.push_back(params_.Format(c++, task.params[p]));
    }
  }

 private:
  static ValueColumns Columns(const ResultTable& table) {
    std::vector<std::string> names;
    std::vector<std::vector<Value>> values(table.tasks.size());
    for (std::size_t p = 0; p < table.params.size(); ++p) {
      if (!table.params[p].varies) continue;
      names.push_back(table.params[p].title);
      for (std::size_t i = 0; i < values.size(); ++i) values[i].push_back(table.tasks[i].params[p]);
    }
    return {std::move(names), PointersTo(values)};
  }
  const ResultTable& table_;
  ValueColumns params_;
};

// "naca2412 by xfoil 6.99+1a2b3c4d: mach 0, ncrit 9"
std::string SharedLine(const ResultTable& table) {
  const ResultTask& first = table.tasks.front();
  std::string line = table.target_varies ? "" : first.target;
  if (!table.solver_varies && !first.solver.empty()) {
    line += (line.empty() ? "by " : " by ") + first.solver;
    if (!table.identity.empty()) line += " " + table.identity.substr(table.identity.find('@') + 1);
  }
  std::string params;
  for (std::size_t p = 0; p < table.params.size(); ++p) {
    if (table.params[p].varies || first.params[p].is_null()) continue;
    params += (params.empty() ? "" : ", ") + table.params[p].name + " " + FormatValue(first.params[p]);
  }
  if (!params.empty()) line += (line.empty() ? "" : ": ") + params;
  return line.empty() ? line : Printable(line) + "\n\n";
}

std::string PointTable(const ResultTable& table, const TextStyle& style) {
  ValueColumns::Rows cells;
  for (const ResultRow& row : table.rows) cells.push_back(&row.cells);
  const ValueColumns columns(table.columns, cells);
  const TaskLabels labels(table);
  TextTable text;
  labels.AddTo(text);
  columns.AddTo(text);
  text.AddColumn("note");
  for (const ResultRow& row : table.rows) {
    const ResultTask& task = table.tasks[row.task];
    std::vector<Cell> line;
    labels.Append(line, task);
    const bool has_values = row.kind == RowKind::kPoint || row.kind == RowKind::kPartial;
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      line.push_back(has_values || !row.cells[c].is_null() ? columns.Format(c, row.cells[c]) : Cell(""));
    }
    const std::string state = row.kind == RowKind::kPoint ? "" : row.state(task);
    const std::string note = row.error.empty() ? state : state + ": " + row.error;
    line.emplace_back(note, row.kind == RowKind::kMissing ? Colour::kYellow : Colour::kRed);
    text.AddRow(std::move(line));
  }
  text.DropEmptyColumns();
  return text.Render(style);
}

std::vector<std::string> SummaryNames(const std::vector<TaskResult>& results) {
  std::vector<std::string> names;
  for (const TaskResult& result : results) {
    for (const auto& [name, value] : result.body.summary) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

// A row a task. With `all`, tasks without a summary too, with state and error: the form of analyses without columns.
std::string SummaryTable(const ResultTable& table, const std::vector<TaskResult>& results, bool all,
                         const TextStyle& style) {
  const std::vector<std::string> names = SummaryNames(results);
  std::vector<std::vector<Value>> rows;
  for (const TaskResult& result : results) {
    auto& row = rows.emplace_back();
    for (const std::string& name : names) {
      const auto found = result.body.summary.find(name);
      row.push_back(found == result.body.summary.end() ? Value() : found->second);
    }
  }
  const ValueColumns columns(names, PointersTo(rows));
  const TaskLabels labels(table);
  TextTable text;
  labels.AddTo(text);
  if (all) text.AddColumn("state");
  columns.AddTo(text);
  text.AddColumn("note");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ResultTask& task = table.tasks[i];
    if (!all && results[i].body.summary.empty()) continue;
    std::vector<Cell> line;
    labels.Append(line, task);
    if (all) line.emplace_back(std::string(StateName(task.state)), StateColour(task.state));
    for (std::size_t c = 0; c < columns.size(); ++c) {
      line.push_back(results[i].body.summary.empty() ? Cell("") : columns.Format(c, rows[i][c]));
    }
    line.emplace_back(all ? ErrorText(results[i].item.task.error) : std::string());
    text.AddRow(std::move(line));
  }
  if (text.row_count() == 0) return {};
  text.DropEmptyColumns();
  return text.Render(style);
}

// "3 tasks: 2 completed (1 cached), 1 failed; 2 points missing"
std::string CountLine(const ResultTable& table, const std::vector<TaskResult>& results) {
  JobSummary job;
  job.total = results.size();
  job.counts.assign(kTaskStateCount, 0);
  for (const TaskResult& result : results) {
    ++job.counts[static_cast<std::size_t>(result.item.task.state)];
    job.cached += result.item.task.cached ? 1 : 0;
  }
  std::string line = CountsText(job);
  if (table.missing > 0) line += "; " + Counted(table.missing, "point") + " missing";
  return line + "\n";
}

// Each warning once, with how many tasks gave it.
std::string Warnings(const std::vector<TaskResult>& results) {
  std::map<std::string, std::uint64_t> counts;
  for (const TaskResult& result : results) {
    for (const std::string& warning : result.body.warnings) ++counts[warning];
  }
  std::string out;
  for (const auto& [warning, count] : counts) {
    out += "warning: " + Printable(warning);
    if (results.size() > 1) out += fmt::format(" ({})", Counted(count, "task"));
    out += "\n";
  }
  return out;
}

}  // namespace

std::string ResultText(const std::vector<TaskResult>& results, const TextStyle& style) {
  if (results.empty()) return "no results\n";
  const ResultTable table = FoldResults(results);
  std::string out = SharedLine(table);
  if (table.columns.empty()) {
    out += SummaryTable(table, results, true, style);
  } else {
    out += PointTable(table, style);
    const std::string summary = SummaryTable(table, results, false, style);
    if (!summary.empty()) out += "\n" + summary;
  }
  return out + "\n" + CountLine(table, results) + Warnings(results);
}

}  // namespace icarus::client
