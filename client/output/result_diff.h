// Two jobs' results compared: the same target and parameters, point by point.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/output/display.h"
#include "client/output/json_text.h"
#include "client/output/task_result.h"

namespace icarus::client {

// How far one column differs over all points that both have. A point is where the first column is the same.
struct ColumnDifference {
  std::string column;
  std::size_t points = 0;
  double max = 0;  // the largest |a − b|
  double rms = 0;  // sqrt(mean (a − b)²)
  // Where it is largest.
  TaskRef worst_a, worst_b;
  Value at;  // of the first column
  double a = 0, b = 0;
  std::size_t beyond = 0;  // points with |a − b| > rtol · max(|a|, |b|), or where text differs
};

// What a task without a table has written. One that only one of the two has differs.
struct FileDifference {
  std::string file;  // "stdout", or the name of an output
  TaskRef a, b;
};

struct ResultDiff {
  std::size_t compared = 0;  // tasks
  std::vector<FileDifference> files;
  std::vector<TaskRef> only_a, only_b;
  std::size_t points_only_a = 0, points_only_b = 0;  // of the tasks that were compared
  std::vector<ColumnDifference> columns;
  double rtol = 0;

  // Nothing is beyond the tolerance, and both have the same tasks, points and files.
  bool equal() const;
};

// Tasks are the same when target and all parameters that both jobs have are; completed ones alone are looked at.
ResultDiff CompareResults(const std::vector<TaskResult>& a, const std::vector<TaskResult>& b, double rtol);

Json ResultDiffJson(const ResultDiff& diff);
std::string ResultDiffText(const ResultDiff& diff, const TextStyle& style);

}  // namespace icarus::client
