// Launcher: the worker's way to run attempts. A process of its own, forked before the worker has threads, starts,
// watches and ends them, so that nothing an attempt does can reach the worker, and nothing of it survives the worker.
//
// The promises: an attempt gets a fresh scratch directory and is reported finished once, when none of its processes and
// nothing of the directory is left. When the launcher's worker ends, in whatever way, everything is killed and removed;
// when the launcher itself is killed, its guardians do the same.
//
// Threads: all calls from one thread. Nothing here blocks but Start (a fork) and Shutdown.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "common/base/result.h"
#include "worker/launcher/attempt.h"
#include "worker/launcher/frame_channel.h"
#include "worker/launcher/launcher_options.h"

namespace icarus::worker {

class Launcher {
 public:
  // Forks. REQUIRES that this process has one thread and no ZeroMQ context. Every other descriptor of this process is
  // closed in the launcher, so it holds no lock or store open.
  static Result<Launcher> Start(LauncherOptions options);

  Launcher(Launcher&&) = default;
  Launcher& operator=(Launcher&&) = delete;
  ~Launcher();  // as Shutdown

  // To be polled for reading, and for writing while WantsWrite(); then Drain.
  int fd() const { return channel_.fd(); }
  bool WantsWrite() const { return channel_.wants_write(); }
  pid_t pid() const { return pid_; }

  // AttemptFinished follows for this id, whatever happens to it. kUsage: a path is not absolute, or the whole is too
  // large; kUnavailable: the launcher has ended.
  Status StartAttempt(const AttemptSpec& spec);

  // SIGTERM to every process of the attempt, after spec.grace_ms SIGKILL to those that are left. An id that has ended
  // already is no error: its AttemptFinished is on the way.
  Status Kill(std::uint64_t id);

  // To the command of the attempt, not to what it has started. No error either when it has ended.
  Status Signal(std::uint64_t id, std::int32_t signal);

  // AttemptSaved follows, unless the attempt ends before.
  Status Save(const SaveOrder& order);

  // What an attempt has asked for (ValueAsk). An id that has ended already is no error.
  Status Answer(const ValueAnswer& answer);

  // Sends what waits to be sent and returns what has happened since. kUnavailable once the launcher has ended and all
  // that it sent has been returned; its attempts are then being killed by their guardians.
  Result<std::vector<LauncherEvent>> Drain();

  // Kills every attempt without grace and waits up to 10 s for the launcher to end: no process and no scratch directory
  // is left then. No events come any more. A second call does nothing.
  Status Shutdown();

 private:
  Status Order(FrameType type, std::uint64_t id, const std::string& payload);
  Launcher(pid_t pid, FrameChannel channel) : pid_(pid), channel_(std::move(channel)) {}

  pid_t pid_;
  FrameChannel channel_;
};

}  // namespace icarus::worker
