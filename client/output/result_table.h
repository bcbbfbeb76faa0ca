// ResultTable: the results of many tasks as one table, a row a point. The text and CSV forms and the plots are made of
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/output/task_result.h"

namespace icarus::client {

// A parameter that is one value in each task. One that is a list has its column in the results, and one that the
// results repeat in a column of the same name is that column. A parameter that shares only the name with a result
// column (a forced transition and the transition found) is not a column, unless it varies: then it is `param.<name>`.
struct ParamColumn {
  std::string name;
  std::string title;
  bool varies = false;  // from task to task
};

struct ResultTask {
  TaskRef ref;
  TaskState state = TaskState::kCompleted;
  std::string target;
  std::string solver;
  std::vector<Value> params;  // by ResultTable::params; null where it has none
};

enum class RowKind : std::uint8_t {
  kPoint,    // a row of a result
  kPartial,  // a row that an attempt left that did not complete
  kMissing,  // a point asked for that has none
  kTask,     // a task without rows: it did not complete, or its analysis has no columns
};

struct ResultRow {
  std::size_t task = 0;  // into ResultTable::tasks
  RowKind kind = RowKind::kPoint;
  std::vector<Value> cells;  // by ResultTable::columns
  std::string error;         // why the point or the task is not there

  // The word of the state column: missing, partial, or the task's state.
  std::string state(const ResultTask& task_of_row) const;
};

struct ResultTable {
  std::vector<ParamColumn> params;   // sorted by name
  std::vector<std::string> columns;  // of all results, in order of first appearance
  std::vector<ResultTask> tasks;     // in the order given
  std::vector<ResultRow> rows;       // by task; missing points stand where their place in an ascending column is
  bool target_varies = false;
  bool solver_varies = false;
  std::string identity;     // of the solver, where the results have one and the same
  std::size_t missing = 0;  // points
};

// The columns of a table, known when each of its results has been added; the rows can be folded some at a time then.
class TableShape {
 public:
  void Add(const TaskResult& result);
  const std::vector<std::string>& columns() const { return columns_; }  // in order of first appearance
  std::vector<ParamColumn> Params() const;
  // Varying parameters that a column of the same name repeats.
  std::vector<std::string> Repeated() const;
  // Of the solver, where the results have one and the same.
  const std::string& identity() const { return identity_; }

 private:
  bool Varies(const std::string& name) const { return varying_.contains(name); }

  std::vector<std::string> columns_;
  std::set<std::string> scalars_;     // parameters that are one value somewhere
  std::set<std::string> varying_;     // that are not everywhere what they are in the first result
  std::set<std::string> unrepeated_;  // that a column of the same name does not repeat
  std::optional<ValueMap> first_;
  std::string identity_;
  bool identities_differ_ = false;
};

// REQUIRES that each result has been added to the shape.
ResultTable FoldResults(const std::vector<TaskResult>& results, const TableShape& shape);
ResultTable FoldResults(const std::vector<TaskResult>& results);

}  // namespace icarus::client
