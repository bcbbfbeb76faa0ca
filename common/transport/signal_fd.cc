#include "common/transport/signal_fd.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace icarus {

Result<SignalFd> SignalFd::Block(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  if (const int rc = pthread_sigmask(SIG_BLOCK, &set, nullptr); rc != 0) return ErrnoError("cannot block signals", rc);
  UniqueFd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return ErrnoError("cannot make a signalfd", errno);
  return SignalFd(std::move(fd));
}

std::optional<SignalEvent> SignalFd::Read() {
  signalfd_siginfo info{};
  ssize_t got = 0;
  do {
    got = ::read(fd_.get(), &info, sizeof info);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  SignalEvent event;
  event.number = static_cast<int>(info.ssi_signo);
  event.sender = static_cast<pid_t>(info.ssi_pid);
  if (info.ssi_code == SI_QUEUE) event.value = info.ssi_int;
  return event;
}

void UnblockAllSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  // Fails for SIGKILL, SIGSTOP and the two that the C library keeps, which are as they should be.
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace icarus
