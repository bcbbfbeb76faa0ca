// The `command` analysis from the command line: its program, inputs, standard input and environment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/options.h"
#include "common/base/result.h"
#include "common/model/ids.h"
#include "common/model/job_spec.h"

namespace icarus::client {

// An input without content yet, CommandSpec::inputs[input]: a large file of this machine that is to be uploaded, or an
// output file of another task.
struct PendingInput {
  std::size_t input = 0;
  std::string path;             // of the file here, or the name of the output
  std::optional<TaskRef> task;  // whose output it is
};

struct CommandRequest {
  CommandSpec command;
  std::vector<PendingInput> pending;
};

// Reads small files into the specification, names the others as pending. A program given with a '/' that is a file here
// becomes an input, and the command ./NAME. Usage errors name the file.
Result<CommandRequest> ReadCommand(const SubmitOptions& options);

// "SRC=DEST", "SRC": DEST is SRC's last name. A file whose whole name holds a '=' is taken as it is. "7.0:mesh.msh" is
// an output of task 7.0, unless a file of that name is here.
struct InputText {
  std::string source;
  std::string destination;
  std::optional<TaskRef> task;
};
Result<InputText> SplitInput(const std::string& text);

}  // namespace icarus::client
