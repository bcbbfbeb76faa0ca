#include "worker/launcher/solver_host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "worker/launcher/process_setup.h"
#include "worker/launcher/solver_run.h"

namespace icarus::worker {
namespace {

void PointAtNull(int fd, int flags) {
  const UniqueFd null(::open("/dev/null", flags | O_CLOEXEC));
  if (null) ::dup2(null.get(), fd);
}

void PrepareHostProcess(int channel, pid_t guardian) {
  KeepOnlyChannel(channel);
  ::setpgid(0, 0);
  ::prctl(PR_SET_NAME, "icarus-host");
  ResetSignalsForProgram();
  // Caught, not ignored: a write to a solver that has gone fails with EPIPE, and programs still start with the default.
  ::signal(SIGPIPE, [](int) {});
  DieWithParent(guardian);
  BecomeSubreaper();  // so that what a solver leaves behind shows as a child of ours
  PointAtNull(STDIN_FILENO, O_RDONLY);
  PointAtNull(STDOUT_FILENO, O_WRONLY);
}

}  // namespace

Result<std::unique_ptr<SolverHost>> SolverHost::Fork(const LauncherOptions& options) {
  ICARUS_ASSIGN(ChannelPair ends, MakeChannelPair());
  const pid_t guardian = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoError("cannot start a process", errno);
  if (pid == 0) {
    PrepareHostProcess(ends.second.get(), guardian);
    ::_exit(ServeAsHost(options));
  }
  return std::unique_ptr<SolverHost>(new SolverHost(pid, FrameChannel(std::move(ends.first))));
}

int ServeAsHost(const LauncherOptions& options) {
  FrameChannel channel{UniqueFd(kChannelFd)};
  const std::uint64_t first_bytes = OwnPeakMemory();
  while (!channel.closed()) {
    pollfd item{channel.fd(), POLLIN, 0};
    ::poll(&item, 1, -1);
    channel.Receive();
    while (const auto frame = channel.Next()) {
      if (frame->type != FrameType::kStart) continue;
      RunSolverAttempt(*frame, options, first_bytes, channel);
      channel.FlushUntil(kNever);
    }
  }
  return EXIT_SUCCESS;
}

}  // namespace icarus::worker
