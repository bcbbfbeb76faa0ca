// The `command` analysis from the command line: its program, inputs, standard input and environment.
#pragma once

#include <string>
#include <vector>

#include "client/cli/options.h"
#include "common/base/result.h"
#include "common/model/job_spec.h"

namespace icarus::client {

// A file of this machine that a task needs: CommandSpec::inputs[input] is it, its content is still to be uploaded.
struct PendingUpload {
  std::size_t input = 0;
  std::string path;
};

struct CommandRequest {
  CommandSpec command;
  std::vector<PendingUpload> uploads;
};

// Reads small files into the specification, names large ones as uploads. A program given with a '/' that is a file here
// becomes an input, and the command ./NAME. Usage errors name the file.
Result<CommandRequest> ReadCommand(const SubmitOptions& options);

// "SRC=DEST", "SRC": DEST is SRC's last name. A file whose whole name holds a '=' is taken as it is.
struct InputText {
  std::string source;
  std::string destination;
};
Result<InputText> SplitInput(const std::string& text);

}  // namespace icarus::client
