// Sweep: the tasks of a job, as axes that are never expanded: task i is computed from i.
#pragma once

#include <optional>

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/fields.h"
#include "common/model/ids.h"
#include "common/model/value.h"

namespace icarus {

// The values along one column of an axis: a list, or a rule that yields `count` values.
// kStep: (mantissa + i·step_mantissa)·10^exponent, exact decimal arithmetic; kLinear and kLog: between `first` and
// `last`.
struct ValueSource {
  enum class Kind : std::uint8_t { kList = 0, kStep = 1, kLinear = 2, kLog = 3 };
  friend constexpr int EnumCount(Kind) { return 4; }

  Kind kind = Kind::kList;
  std::vector<Value> list;
  std::uint32_t count = 0;  // of the rules
  std::int64_t mantissa = 0;
  std::int64_t step_mantissa = 0;
  std::int32_t exponent = 0;
  double first = 0;
  double last = 0;
  ICARUS_FIELDS(ValueSource, kind, list, count, mantissa, step_mantissa, exponent, first, last)
  friend bool operator==(const ValueSource&, const ValueSource&) = default;

  std::uint32_t size() const { return kind == Kind::kList ? static_cast<std::uint32_t>(list.size()) : count; }
  Value At(std::uint32_t i) const;  // REQUIRES i < size()
};

// One number, word, list `a,b,c` or range `first:last:step | first:last:nNUM | first:last:logNUM`, as a user writes it.
// A range that does not reach its last value is an error that says so.
Result<ValueSource> ParseValues(const std::string& text);
// The same where the whole text is one value (with -p): a list or range becomes one list value.
Result<Value> ParseValue(const std::string& text);

struct AxisColumn {
  std::string name;
  ValueSource values;
  ICARUS_FIELDS(AxisColumn, name, values)
  friend bool operator==(const AxisColumn&, const AxisColumn&) = default;
};

// One axis of the outer product; several columns go in step (--zip). All columns have the same size.
struct Axis {
  std::vector<AxisColumn> columns;
  ICARUS_FIELDS(Axis, columns)
  friend bool operator==(const Axis&, const Axis&) = default;
  std::uint32_t size() const { return columns.empty() ? 1 : columns.front().values.size(); }
};

// What is analysed. For a file `content` is normalised by the analysis (coordinates) and its hash is part of the key.
struct Target {
  std::string name;     // as shown: naca2412, or the file's name without directories
  std::string content;  // empty for a named target
  ICARUS_FIELDS(Target, name, content)
  friend bool operator==(const Target&, const Target&) = default;
};

// Rows of --from: column-wise; a null cell leaves the parameter at its base value. `target` indexes Sweep::targets.
struct Table {
  std::vector<AxisColumn> columns;
  std::vector<std::uint32_t> target;  // empty: all rows use targets[0], if there is one
  std::uint32_t rows = 0;
  ICARUS_FIELDS(Table, columns, target, rows)
  friend bool operator==(const Table&, const Table&) = default;
};

struct TaskPoint {
  std::uint32_t target = 0;  // index into Sweep::targets; meaningless when there are none
  ValueMap params;           // base parameters overridden by the axes' values at this point
};

struct Sweep {
  std::vector<Target> targets;  // the outermost axis; empty: no target
  ValueMap base;                // parameters that are the same in every task
  std::vector<Axis> axes;       // the last varies fastest
  std::optional<Table> table;   // with a table, rows lie between targets and axes
  ICARUS_FIELDS(Sweep, targets, base, axes, table)
  friend bool operator==(const Sweep&, const Sweep&) = default;

  // Number of tasks; an error names the limit when it is above it, or an axis that is empty or whose columns differ in
  // size.
  Result<std::uint32_t> Count() const;
  // REQUIRES index < *Count().
  TaskPoint At(TaskIndex index) const;
  // The names that vary from task to task, outermost first.
  std::vector<std::string> AxisNames() const;
};

}  // namespace icarus
