#include "client/output/result_table.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "client/output/derived.h"

namespace icarus::client {
namespace {

constexpr double kSameValue = 1e-9;  // relative: results are rounded to 10 digits

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Value* Find(const ValueMap& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

bool SameValue(const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) return a == b;
  const double scale = std::max(std::abs(a.number()), std::abs(b.number()));
  return std::abs(a.number() - b.number()) <= kSameValue * scale;
}

std::vector<std::string> AllColumns(const std::vector<TaskResult>& results) {
  std::vector<std::string> columns;
  for (const TaskResult& result : results) {
    for (const std::string& name : result.body.columns) {
      if (!Contains(columns, name)) columns.push_back(name);
    }
  }
  return columns;
}

std::string SharedIdentity(const std::vector<TaskResult>& results) {
  std::string shared;
  for (const TaskResult& result : results) {
    const std::string& identity = result.item.identity;
    if (identity.empty()) continue;
    if (!shared.empty() && shared != identity) return {};
    shared = identity;
  }
  return shared;
}

std::set<std::string> ScalarParams(const std::vector<TaskResult>& results) {
  std::set<std::string> names;
  for (const TaskResult& result : results) {
    for (const auto& [name, value] : result.item.task.params) {
      if (!value.is_list()) names.insert(name);
    }
  }
  return names;
}

bool Varies(const std::vector<TaskResult>& results, const std::string& name) {
  const auto of = [&](const TaskResult& result) {
    const Value* value = Find(result.item.task.params, name);
    return value == nullptr ? Value() : *value;
  };
  return std::any_of(results.begin(), results.end(),
                     [&](const TaskResult& result) { return !(of(result) == of(results.front())); });
}

// True when the result's column `name` repeats the task's parameter of that name in every row.
bool Repeats(const TaskResult& result, const std::string& name) {
  const Value* param = Find(result.item.task.params, name);
  const auto column = std::find(result.body.columns.begin(), result.body.columns.end(), name);
  if (param == nullptr || param->is_list() || column == result.body.columns.end()) return true;
  const auto index = static_cast<std::size_t>(column - result.body.columns.begin());
  return std::all_of(result.body.rows.begin(), result.body.rows.end(), [&](const std::vector<Value>& row) {
    return index < row.size() && SameValue(row[index], *param);
  });
}

class Folder {
 public:
  explicit Folder(const std::vector<TaskResult>& results) : results_(results) {}

  ResultTable Fold() {
    table_.columns = AllColumns(results_);
    table_.identity = SharedIdentity(results_);
    SortParams();
    for (const TaskResult& result : results_) AddTask(result);
    return std::move(table_);
  }

 private:
  void SortParams() {
    for (const std::string& name : ScalarParams(results_)) {
      const bool varies = Varies(results_, name);
      if (!Contains(table_.columns, name)) {
        table_.params.push_back({name, name, varies});
      } else if (std::all_of(results_.begin(), results_.end(), [&](const auto& r) { return Repeats(r, name); })) {
        if (varies) repeated_.push_back(name);
      } else if (varies) {
        table_.params.push_back({name, "param." + name, true});
      }
    }
  }

  void AddTask(const TaskResult& result) {
    const TaskSummary& task = result.item.task;
    ResultTask entry{result.ref(), task.state, task.target, result.item.solver, {}};
    for (const ParamColumn& param : table_.params) {
      const Value* value = Find(task.params, param.name);
      entry.params.push_back(value == nullptr || value->is_list() ? Value() : *value);
    }
    if (!table_.tasks.empty()) {
      table_.target_varies |= table_.tasks.front().target != entry.target;
      table_.solver_varies |= table_.tasks.front().solver != entry.solver;
    }
    table_.tasks.push_back(std::move(entry));
    const std::size_t first_row = table_.rows.size();
    AddPoints(result);
    AddMissing(result, first_row);
    const bool completed = task.state == TaskState::kCompleted;
    if (!completed || table_.rows.size() == first_row) AddTaskRow(result);
  }

  std::vector<std::size_t> ColumnIndexes(const TaskResult& result) const {
    std::vector<std::size_t> indexes;
    for (const std::string& name : result.body.columns) indexes.push_back(IndexOf(name));
    return indexes;
  }

  std::size_t IndexOf(const std::string& column) const {
    const auto found = std::find(table_.columns.begin(), table_.columns.end(), column);
    return static_cast<std::size_t>(found - table_.columns.begin());
  }

  ResultRow& NewRow(RowKind kind) {
    ResultRow& row = table_.rows.emplace_back();
    row.task = table_.tasks.size() - 1;
    row.kind = kind;
    row.cells.resize(table_.columns.size());
    return row;
  }

  void AddPoints(const TaskResult& result) {
    const bool completed = result.item.task.state == TaskState::kCompleted;
    const std::vector<std::size_t> indexes = ColumnIndexes(result);
    for (const std::vector<Value>& cells : result.body.rows) {
      ResultRow& row = NewRow(completed ? RowKind::kPoint : RowKind::kPartial);
      for (std::size_t i = 0; i < cells.size() && i < indexes.size(); ++i) row.cells[indexes[i]] = cells[i];
    }
  }

  void AddMissing(const TaskResult& result, std::size_t first_row) {
    for (const MissingPoint& point : result.body.missing) {
      ResultRow row = std::move(NewRow(RowKind::kMissing));
      table_.rows.pop_back();
      std::string elsewhere;  // of the point's place, what no column shows
      std::optional<std::size_t> place;
      for (const auto& [name, value] : point.at) {
        const std::size_t index = IndexOf(name);
        if (index == table_.columns.size()) {
          elsewhere += name + "=" + FormatValue(value) + ": ";
          continue;
        }
        row.cells[index] = value;
        if (!place && value.is_number()) place = index;
      }
      row.error = elsewhere + point.reason;
      const std::size_t at = place ? PlaceOf(row, *place, first_row) : table_.rows.size();
      table_.rows.insert(table_.rows.begin() + static_cast<std::ptrdiff_t>(at), std::move(row));
      ++table_.missing;
    }
  }

  // Before the first of the task's rows that is beyond it.
  std::size_t PlaceOf(const ResultRow& row, std::size_t column, std::size_t first_row) const {
    for (std::size_t i = first_row; i < table_.rows.size(); ++i) {
      const Value& other = table_.rows[i].cells[column];
      if (other.is_number() && other.number() > row.cells[column].number()) return i;
    }
    return table_.rows.size();
  }

  void AddTaskRow(const TaskResult& result) {
    ResultRow& row = NewRow(RowKind::kTask);
    for (const std::string& name : repeated_) {
      const Value* param = Find(result.item.task.params, name);
      if (param != nullptr && !param->is_list()) row.cells[IndexOf(name)] = *param;
    }
    row.error = ErrorText(result.item.task.error);
  }

  const std::vector<TaskResult>& results_;
  ResultTable table_;
  std::vector<std::string> repeated_;  // varying parameters that a column of the same name repeats
};

}  // namespace

std::string ResultRow::state(const ResultTask& task_of_row) const {
  if (kind == RowKind::kMissing) return "missing";
  if (kind == RowKind::kPartial) return "partial";
  return std::string(StateName(task_of_row.state));
}

ResultTable FoldResults(const std::vector<TaskResult>& results) { return Folder(results).Fold(); }

}  // namespace icarus::client
