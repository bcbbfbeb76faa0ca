// Programs of ours that are started in the background and tell when they are ready.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace icarus::client {

// A program that was started and has not said yet whether it is ready.
class BackgroundProgram {
 public:
  // `program` is a name beside our own executable. It gets `--ready-fd N` in addition, a session of its own, "/" closed
  // to it but for `directory` as its working directory, no standard input, and its output appended to `log_file`.
  static Result<BackgroundProgram> Start(const std::string& program, std::vector<std::string> arguments,
                                         const std::string& directory, const std::string& log_file);

  pid_t pid() const { return pid_; }

  // Blocks until it says "ok", or an error line, or ends. Its own error and exit code become the error.
  Status WaitReady();

 private:
  BackgroundProgram(std::string program, std::string log_file, pid_t pid, UniqueFd ready)
      : program_(std::move(program)), log_file_(std::move(log_file)), pid_(pid), ready_(std::move(ready)) {}

  std::string program_;
  std::string log_file_;
  std::uint64_t log_start_ = 0;  // where its part of the log begins
  pid_t pid_ = -1;
  UniqueFd ready_;
};

// What a program of ours means by its exit code.
Error ErrorOfExit(int exit_code, std::string message);

// The path of a program beside our own executable; kRefused when it is not there.
Result<std::string> SiblingProgram(const std::string& name);

}  // namespace icarus::client
