// What an attempt produced: written by the worker, opaque to the broker, read by the client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/fields.h"
#include "common/model/job_spec.h"
#include "common/model/task_state.h"
#include "common/model/value.h"

namespace icarus {

// A point that was asked for and has no row. `at` names the parameter's value, for example {aoa: 14}.
struct MissingPoint {
  ValueMap at;
  std::string reason;
  ICARUS_FIELDS(MissingPoint, at, reason)
};

struct ResultBody {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;  // null: the solver does not compute it
  std::vector<MissingPoint> missing;
  ValueMap summary;
  std::vector<std::string> warnings;
  std::vector<FileRef> files;          // outputs; `stdout` and `stderr` of the solver are in the two below
  std::optional<FileRef> stdout_file;  // capped at limits::kMaxOutputBytes
  std::optional<FileRef> stderr_file;
  std::optional<FileRef> table;  // rows and missing lie there (result_codec.h), not here
  ICARUS_FIELDS(ResultBody, columns, rows, missing, summary, warnings, files, stdout_file, stderr_file, table)
};

struct TaskError {
  TaskErrorKind kind = TaskErrorKind::kNone;
  std::string message;
  std::optional<std::int32_t> exit_code;
  std::optional<std::int32_t> signal;
  ICARUS_FIELDS(TaskError, kind, message, exit_code, signal)
};

}  // namespace icarus
