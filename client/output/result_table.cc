#include "client/output/result_table.h"

#include <algorithm>
#include <cmath>
#include <optional>
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
  Folder(const std::vector<TaskResult>& results, const TableShape& shape)
      : results_(results), repeated_(shape.Repeated()) {
    table_.columns = shape.columns();
    table_.identity = shape.identity();
    table_.params = shape.Params();
  }

  ResultTable Fold() {
    for (const TaskResult& result : results_) AddTask(result);
    return std::move(table_);
  }

 private:
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
  const std::vector<std::string> repeated_;
  ResultTable table_;
};

}  // namespace

std::string ResultRow::state(const ResultTask& task_of_row) const {
  if (kind == RowKind::kMissing) return "missing";
  if (kind == RowKind::kPartial) return "partial";
  return std::string(StateName(task_of_row.state));
}

void TableShape::Add(const TaskResult& result) {
  for (const std::string& name : result.body.columns) {
    if (!Contains(columns_, name)) columns_.push_back(name);
  }
  const ValueMap& params = result.item.task.params;
  if (!first_) first_ = params;
  for (const auto& [name, value] : params) {
    if (!value.is_list()) scalars_.insert(name);
    const Value* first = Find(*first_, name);
    if (first == nullptr ? !value.is_null() : !(*first == value)) varying_.insert(name);
    if (!Repeats(result, name)) unrepeated_.insert(name);
  }
  for (const auto& [name, value] : *first_) {
    if (!value.is_null() && !params.contains(name)) varying_.insert(name);
  }
  const std::string& identity = result.item.identity;
  if (identity.empty() || identities_differ_) return;
  identities_differ_ = !identity_.empty() && identity_ != identity;
  identity_ = identities_differ_ ? "" : identity;
}

std::vector<ParamColumn> TableShape::Params() const {
  std::vector<ParamColumn> params;
  for (const std::string& name : scalars_) {
    if (!Contains(columns_, name)) {
      params.push_back({name, name, Varies(name)});
    } else if (unrepeated_.contains(name) && Varies(name)) {
      params.push_back({name, "param." + name, true});
    }
  }
  return params;
}

std::vector<std::string> TableShape::Repeated() const {
  std::vector<std::string> names;
  for (const std::string& name : scalars_) {
    if (Contains(columns_, name) && !unrepeated_.contains(name) && Varies(name)) names.push_back(name);
  }
  return names;
}

ResultTable FoldResults(const std::vector<TaskResult>& results, const TableShape& shape) {
  return Folder(results, shape).Fold();
}

ResultTable FoldResults(const std::vector<TaskResult>& results) {
  TableShape shape;
  for (const TaskResult& result : results) shape.Add(result);
  return FoldResults(results, shape);
}

}  // namespace icarus::client
