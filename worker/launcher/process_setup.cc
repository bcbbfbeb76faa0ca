#include "worker/launcher/process_setup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace icarus::worker {
namespace {

void CloseFrom(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0U, 0) == 0) return;
  struct rlimit limit {};  // a kernel before 5.9
  ::getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = first; static_cast<rlim_t>(fd) < limit.rlim_cur; ++fd) ::close(fd);
}

}  // namespace

void KeepOnlyChannel(int channel) {
  for (int fd = 0; fd < kChannelFd; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    const int null = ::open("/dev/null", O_RDWR);
    if (null >= 0 && null != fd) {
      ::dup2(null, fd);
      ::close(null);
    }
  }
  if (channel != kChannelFd) ::dup2(channel, kChannelFd);
  ::fcntl(kChannelFd, F_SETFD, FD_CLOEXEC);
  CloseFrom(kChannelFd + 1);
}

void ResetSignalsForProgram() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);  // fails harmlessly where not allowed
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void ResetSignalsForHelper() {
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP}) {
    sigaddset(&blocked, number);
  }
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
}

void ForbidCoreFiles() {
  const struct rlimit none { 0, 0 };
  ::setrlimit(RLIMIT_CORE, &none);
}

void DieWithParent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(EXIT_FAILURE);
}

void BecomeSubreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

UniqueFd ChildSignalFd() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  return UniqueFd(::signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC));
}

void DrainSignalFd(int fd) {
  std::array<signalfd_siginfo, 8> taken;
  while (::read(fd, taken.data(), sizeof taken) > 0) {
  }
}

std::string SignalText(int signal) {
  const char* name = ::sigdescr_np(signal);
  return std::to_string(signal) + (name != nullptr ? " (" + std::string(name) + ")" : "");
}

}  // namespace icarus::worker
