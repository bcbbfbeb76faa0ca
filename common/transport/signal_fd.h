// SignalFd: signals as something to read, so that a poll loop sees them in order with everything else.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <optional>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace icarus {

struct SignalEvent {
  int number = 0;
  pid_t sender = 0;
  std::optional<int> value;  // what sigqueue(3) sent along
};

class SignalFd {
 public:
  // Blocks the signals in this thread and in those it starts later: call it before there are others. Children inherit
  // the blocked set: call UnblockAllSignals between fork and exec.
  static Result<SignalFd> Block(std::initializer_list<int> signals);

  int fd() const { return fd_.get(); }
  // The next signal, or nothing when none waits. Never blocks. Equal signals that came together may be one.
  std::optional<SignalEvent> Read();

 private:
  explicit SignalFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// For a child after fork: an empty mask and default dispositions. Async-signal-safe.
void UnblockAllSignals();

}  // namespace icarus
