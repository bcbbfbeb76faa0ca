// The launcher's own process: hands attempts to guardians, keeps idle ones for the next attempt, and cleans up after a
// guardian that was killed. Single-threaded; ends when the worker's end of the channel closes and everything is cleared
// away.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/launcher/attempt.h"
#include "worker/launcher/deadline.h"
#include "worker/launcher/frame_channel.h"
#include "worker/launcher/launcher_options.h"
#include "worker/launcher/process_family.h"

namespace icarus::worker {

// Turns the freshly forked calling process into the launcher, talking through the socket `channel`. Returns its exit
// code.
int ServeAsLauncher(const LauncherOptions& options, int channel);

class LauncherProcess {
 public:
  // Talks through kChannelFd.
  explicit LauncherProcess(const LauncherOptions& options);
  int Run();

 private:
  // What has to be cleared away and reported if the guardian cannot do it any more.
  struct Assignment {
    std::uint64_t id = 0;
    std::string scratch_dir;
    std::string outbox_dir;
    std::string values_socket;
    bool kill_asked = false;
    int guardian_status = 0;  // of a guardian that has ended
  };
  struct GuardianSlot {
    pid_t pid = -1;
    AttemptKind kind = AttemptKind::kCommand;
    FrameChannel channel;
    bool ready = false;  // by poll
    std::optional<Assignment> work;
    Instant idle_since{0};
  };

  void Wait();
  void OnWorkerFrame(const Frame& frame);
  void OnWorkerGone();
  void OnGuardianFrames(GuardianSlot& slot);
  void OnChildren();
  void OnGuardianEnded(std::size_t index, int status);
  void StartAttempt(const Frame& frame);
  GuardianSlot* IdleGuardian(AttemptKind kind);
  Result<GuardianSlot*> ForkGuardian(AttemptKind kind);
  void EndIdleGuardians();
  void KillStrays();
  void ReportLost(const Assignment& work);
  void Refuse(std::uint64_t id, const std::string& why);
  Instant NextDeadline() const;

  const LauncherOptions& options_;
  FrameChannel worker_;
  UniqueFd child_signals_;
  ProcessFamily family_;
  std::vector<std::unique_ptr<GuardianSlot>> guardians_;
  std::vector<Assignment> lost_;  // of ended guardians, until no process of theirs is left
  Instant next_stray_walk_ = kNever;
  bool worker_gone_ = false;
  bool child_ended_ = false;  // by poll
  std::vector<pollfd> polled_;
};

}  // namespace icarus::worker
