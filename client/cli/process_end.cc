#include "client/cli/process_end.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace icarus::client {

Result<EndingProcess> EndingProcess::Open(pid_t pid) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) return EndingProcess(pid, std::move(fd));
  if (errno == ESRCH) return Error::Make(ErrorCode::kNotFound, "process " + std::to_string(pid) + " is gone");
  return ErrnoError("cannot watch process " + std::to_string(pid), errno);
}

Status EndingProcess::Terminate(std::optional<int> value) const {
  siginfo_t info{};
  info.si_signo = SIGTERM;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_int = value.value_or(0);
  const long sent = ::syscall(SYS_pidfd_send_signal, fd_.get(), SIGTERM, value ? &info : nullptr, 0);
  if (sent == 0 || errno == ESRCH) return {};
  if (errno == EPERM) {
    return Error::Make(ErrorCode::kRefused, "process " + std::to_string(pid_) + " belongs to another user");
  }
  return ErrnoError("cannot end process " + std::to_string(pid_), errno);
}

void EndingProcess::Kill() const { (void)::syscall(SYS_pidfd_send_signal, fd_.get(), SIGKILL, nullptr, 0); }

Result<bool> EndingProcess::WaitEnd(std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd poll{fd_.get(), POLLIN, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return ErrnoError("cannot wait for process " + std::to_string(pid_), errno);
  }
}

}  // namespace icarus::client
