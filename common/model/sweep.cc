#include "common/model/sweep.h"

#include <array>
#include <charconv>
#include <cmath>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus {
namespace {

// mantissa·10^exponent as the nearest double: by reading its decimal text, which is correctly rounded.
double FromDecimal(std::int64_t mantissa, std::int32_t exponent) {
  if (mantissa == 0) return 0.0;
  std::array<char, 40> text{};
  auto [end, ec] = std::to_chars(text.data(), text.data() + 24, mantissa);
  *end++ = 'e';
  end = std::to_chars(end, text.data() + text.size(), exponent).ptr;
  double value = 0;
  std::from_chars(text.data(), end, value);
  return value;
}

Status CheckAxis(const Axis& axis) {
  for (const AxisColumn& column : axis.columns) {
    if (column.values.size() == 0) return UsageError("the axis '" + column.name + "' has no values", column.name);
    if (column.values.size() != axis.size()) {
      return UsageError("axes in step need equally many values: '" + axis.columns.front().name + "' has " +
                            std::to_string(axis.size()) + ", '" + column.name + "' has " +
                            std::to_string(column.values.size()),
                        column.name);
    }
  }
  return {};
}

Error TooManyTasks() {
  return Error::Make(ErrorCode::kRefused, "the sweep has more than " + std::to_string(limits::kMaxTasksPerJob) +
                                              " tasks, the limit of one job (limits.tasks_per_job); split it");
}

}  // namespace

Value ValueSource::At(std::uint32_t i) const {
  ICARUS_CHECK(i < size());
  switch (kind) {
    case Kind::kList: return list[i];
    case Kind::kStep: return Value(FromDecimal(mantissa + static_cast<std::int64_t>(i) * step_mantissa, exponent));
    case Kind::kLinear:
      if (i + 1 == count) return Value(last);
      return Value(first + (last - first) * static_cast<double>(i) / static_cast<double>(count - 1));
    case Kind::kLog:
      if (i == 0) return Value(first);
      if (i + 1 == count) return Value(last);
      return Value(first * std::pow(last / first, static_cast<double>(i) / static_cast<double>(count - 1)));
  }
  return {};
}

Result<std::uint32_t> Sweep::Count() const {
  std::uint64_t count = targets.empty() ? 1 : targets.size();
  if (targets.size() > limits::kMaxTargets) {
    return Error::Make(ErrorCode::kRefused, "more than " + std::to_string(limits::kMaxTargets) +
                                                " targets, the limit of one job (limits.targets)");
  }
  if (axes.size() > limits::kMaxAxes) {
    return Error::Make(ErrorCode::kRefused,
                       "more than " + std::to_string(limits::kMaxAxes) + " axes, the limit of one job (limits.axes)");
  }
  if (table) {
    if (table->rows == 0) return UsageError("the table has no rows");
    for (const AxisColumn& column : table->columns) {
      if (column.values.size() != table->rows) return UsageError("a column of the table is too short", column.name);
    }
    if (!table->target.empty()) {
      if (table->target.size() != table->rows) return UsageError("the target column of the table is too short");
      for (const std::uint32_t target : table->target) {
        if (target >= targets.size()) return UsageError("a row names a target that is not there", "target");
      }
      count = 1;  // the rows choose their targets
    }
    count *= table->rows;
  }
  for (const Axis& axis : axes) {
    ICARUS_TRY(CheckAxis(axis));
    count *= axis.size();
    if (count > limits::kMaxTasksPerJob) return TooManyTasks();
  }
  if (count > limits::kMaxTasksPerJob) return TooManyTasks();
  return static_cast<std::uint32_t>(count);
}

TaskPoint Sweep::At(TaskIndex index) const {
  TaskPoint point;
  point.params = base;
  std::uint32_t rest = index;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const std::uint32_t size = axis->size();
    const std::uint32_t at = rest % size;
    rest /= size;
    for (const AxisColumn& column : axis->columns) point.params[column.name] = column.values.At(at);
  }
  if (table) {
    const std::uint32_t row = rest % table->rows;
    rest /= table->rows;
    for (const AxisColumn& column : table->columns) {
      Value value = column.values.At(row);
      if (!value.is_null()) point.params[column.name] = std::move(value);
    }
    if (!table->target.empty()) {
      point.target = table->target[row];
      return point;
    }
  }
  point.target = rest;
  ICARUS_CHECK(targets.empty() ? rest == 0 : rest < targets.size());
  return point;
}

std::vector<std::string> Sweep::AxisNames() const {
  std::vector<std::string> names;
  if (table) {
    for (const AxisColumn& column : table->columns) names.push_back(column.name);
  }
  for (const Axis& axis : axes) {
    for (const AxisColumn& column : axis.columns) names.push_back(column.name);
  }
  return names;
}

}  // namespace icarus
