#include "worker/solvers/xfoil/watched_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "common/base/error.h"
#include "common/base/files.h"
#include "common/base/unique_fd.h"

namespace icarus::worker {
namespace {

using std::chrono::nanoseconds;

constexpr rlim_t kMaxFileBytes = 64u << 20;
constexpr int kPollMs = 50;
constexpr int kStartFailed = 127;

nanoseconds ReadClock(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return nanoseconds(0);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds CpuTime(pid_t pid) {
  clockid_t clock{};
  return ::clock_getcpuclockid(pid, &clock) == 0 ? ReadClock(clock) : nanoseconds(0);
}

// Stopped by a signal (a person, or a throttle): its silence says nothing.
bool IsStopped(pid_t pid) {
  const auto stat = ReadFile("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat) return false;
  const std::size_t name_end = stat->rfind(") ");
  return name_end != std::string::npos && name_end + 2 < stat->size() && (*stat)[name_end + 2] == 'T';
}

// Decides from the time since the last output whether the process will ever say something again.
class Watchdog {
 public:
  Watchdog(pid_t pid, const WatchdogLimits& limits) : pid_(pid), limits_(limits) { OnOutput(); }

  void OnOutput() {
    cpu_ = CpuTime(pid_);
    wall_ = ReadClock(CLOCK_MONOTONIC);
  }
  bool IsHung() {
    if (CpuTime(pid_) - cpu_ >= limits_.busy_silence) return true;
    if (ReadClock(CLOCK_MONOTONIC) - wall_ < limits_.idle_silence) return false;
    if (!IsStopped(pid_)) return true;
    OnOutput();
    return false;
  }

 private:
  pid_t pid_;
  WatchdogLimits limits_;
  nanoseconds cpu_{0};
  nanoseconds wall_{0};
};

// Everything that the child needs after fork, made before it: there only async-signal-safe calls are allowed.
struct Launch {
  const char* program;
  const char* directory;
  const char* script;
  std::vector<char*> argv;
  std::vector<char*> envp;
  int output;
  pid_t parent;
};

[[noreturn]] void BecomeChild(const Launch& launch) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(kStartFailed);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGFPE}) ::signal(number, SIG_DFL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const rlimit files{kMaxFileBytes, kMaxFileBytes};
  ::setrlimit(RLIMIT_FSIZE, &files);
  if (::chdir(launch.directory) != 0) ::_exit(kStartFailed);
  const int input = ::open(launch.script, O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(launch.output, 1) < 0 || ::dup2(launch.output, 2) < 0) {
    ::_exit(kStartFailed);
  }
  ::close_range(3, ~0U, 0);
  ::execve(launch.program, launch.argv.data(), launch.envp.data());
  ::_exit(kStartFailed);
}

std::vector<std::string> Environment(const ChildSpec& spec) {
  std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + spec.directory, "LC_ALL=C",
                                          // output that is not lost when the process dies
                                          "GFORTRAN_UNBUFFERED_ALL=1"};
  if (!spec.preload.empty()) environment.push_back("LD_PRELOAD=" + spec.preload);
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t Start(const ChildSpec& spec, int output) {
  std::vector<std::string> arguments = {"xfoil"};
  std::vector<std::string> environment = Environment(spec);
  const Launch launch{spec.program.c_str(),
                      spec.directory.c_str(),
                      spec.script.c_str(),
                      Pointers(arguments),
                      Pointers(environment),
                      output,
                      ::getpid()};
  const pid_t pid = ::fork();
  if (pid == 0) BecomeChild(launch);
  return pid;
}

// Owns the process until it was waited for.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!status_) Kill();
  }

  pid_t pid() const { return pid_; }
  bool HasEnded() { return status_ || Wait(WNOHANG); }
  void Kill() {
    ::kill(pid_, SIGKILL);
    while (!Wait(0)) {
    }
  }
  // REQUIRES HasEnded().
  int status() const { return *status_; }

 private:
  bool Wait(int options) {
    int status = 0;
    const pid_t got = ::waitpid(pid_, &status, options);
    if (got == pid_) status_ = status;
    if (got < 0 && errno != EINTR) status_ = 0;  // reaped by someone else: nothing more can be known
    return status_.has_value();
  }

  pid_t pid_;
  std::optional<int> status_;
};

enum class ReadResult { kGot, kNothing, kEnd, kFlood };

ReadResult ReadOnce(int fd, const std::function<bool(std::string_view)>& on_output) {
  std::array<char, 1 << 16> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got == 0) return ReadResult::kEnd;
  if (got < 0) return errno == EAGAIN || errno == EINTR ? ReadResult::kNothing : ReadResult::kEnd;
  return on_output({buffer.data(), static_cast<std::size_t>(got)}) ? ReadResult::kGot : ReadResult::kFlood;
}

ChildEnd::Kind Supervise(Child& child, UniqueFd& output, const WatchdogLimits& limits,
                         const std::function<bool(std::string_view)>& on_output) {
  Watchdog watchdog(child.pid(), limits);
  bool ended = false;
  while (true) {
    // A closed pipe is not polled (fd -1): poll is then only the pause between two looks at the process.
    pollfd ready{output.get(), POLLIN, 0};
    if (!ended) ::poll(&ready, 1, output ? kPollMs : 2);
    const ReadResult read = output ? ReadOnce(output.get(), on_output) : ReadResult::kEnd;
    if (read == ReadResult::kFlood) return ChildEnd::Kind::kFlooded;
    if (read == ReadResult::kGot) {
      watchdog.OnOutput();
      continue;
    }
    // What was written before the end is read first; a stranger that holds the pipe open is not waited for.
    if (ended) return ChildEnd::Kind::kExited;
    if (read == ReadResult::kEnd) output.Reset();
    ended = child.HasEnded();
    if (!ended && watchdog.IsHung()) return ChildEnd::Kind::kHung;
  }
}

ChildEnd NotStarted(const std::string& why) { return {ChildEnd::Kind::kNotStarted, 0, why}; }

}  // namespace

ChildEnd RunWatchedChild(const ChildSpec& spec, const WatchdogLimits& limits,
                         const std::function<bool(std::string_view)>& on_output) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return NotStarted(ErrnoError("pipe", errno).message);
  UniqueFd output(ends[0]);
  UniqueFd write_end(ends[1]);
  // The child's end blocks as a terminal would: O_NONBLOCK belongs to the reader alone.
  ::fcntl(write_end.get(), F_SETFL, 0);
  const pid_t pid = Start(spec, write_end.get());
  if (pid < 0) return NotStarted(ErrnoError("fork", errno).message);
  write_end.Reset();
  Child child(pid);
  ChildEnd::Kind kind = Supervise(child, output, limits, on_output);
  if (kind != ChildEnd::Kind::kExited) {
    child.Kill();
    return {kind, 0, ""};
  }
  const int status = child.status();
  if (WIFSIGNALED(status)) return {ChildEnd::Kind::kSignalled, WTERMSIG(status), ""};
  if (WEXITSTATUS(status) == kStartFailed) return NotStarted("it could not be executed");
  return {ChildEnd::Kind::kExited, WEXITSTATUS(status), ""};
}

}  // namespace icarus::worker
