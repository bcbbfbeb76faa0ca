// Asking processes to end, and waiting until they have.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace icarus::client {

// A process by descriptor: its number cannot come to mean another one.
class EndingProcess {
 public:
  // kNotFound when it is gone already.
  static Result<EndingProcess> Open(pid_t pid);

  pid_t pid() const { return pid_; }
  // SIGTERM, with a value for those that read one.
  Status Terminate(std::optional<int> value) const;
  void Kill() const;
  // True when it has ended within the time.
  Result<bool> WaitEnd(std::chrono::milliseconds timeout) const;

 private:
  EndingProcess(pid_t pid, UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}
  pid_t pid_;
  UniqueFd fd_;
};

}  // namespace icarus::client
