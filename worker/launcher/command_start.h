// Starting a program: finding it, then fork and exec with its own process group, environment, directory and standard
// streams.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "common/model/result_body.h"

namespace icarus::worker {

// Exit codes of the shell's convention, which `run` passes on.
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;

struct ProgramStart {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  // all of it
  std::string directory;                           // current directory of the program
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
};

struct StartedProgram {
  pid_t pid = -1;
  TaskError error;  // kNone, or why it did not start: kInvalidInput with exit_code 126 or 127, or kInternal
};

// A name with a '/' is taken relative to `directory`, another is looked for along the environment's PATH. The program
// gets SIGKILL when the caller's process ends. Blocks until the program runs (vfork).
StartedProgram StartProgram(const ProgramStart& start);

}  // namespace icarus::worker
