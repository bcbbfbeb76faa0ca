// SolverHost: the guardian's end of a host process, which runs one solver attempt after another. Forked, never exec'ed:
// what it runs is the code of this program.
#pragma once

#include <sys/types.h>

#include <memory>

#include "common/base/result.h"
#include "worker/launcher/frame_channel.h"
#include "worker/launcher/launcher_options.h"

namespace icarus::worker {

class SolverHost {
 public:
  // `options` must outlive the host's own process, too: it is a fork.
  static Result<std::unique_ptr<SolverHost>> Fork(const LauncherOptions& options);

  // kStart frames go in, and kValues where a kAskValues came out; kProgress, kOfferValue and one kOutcome a kStart come
  // out. The host dies with the guardian.
  FrameChannel& channel() { return channel_; }
  pid_t pid() const { return pid_; }

  // CPU time that earlier attempts of this host have been charged with.
  double charged_cpu_s = 0;

 private:
  SolverHost(pid_t pid, FrameChannel channel) : pid_(pid), channel_(std::move(channel)) {}

  pid_t pid_;
  FrameChannel channel_;
};

// The host's own side: serves attempts from kChannelFd until the guardian closes it. Returns the exit code.
int ServeAsHost(const LauncherOptions& options);

}  // namespace icarus::worker
