#include "client/cli/local_programs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "client/cli/process_end.h"
#include "common/base/files.h"
#include "common/base/text.h"
#include "common/config/access_file.h"

namespace icarus::client {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallFile = 4096;

// A process number in a file may be that of another program by now, or of one that has ended and that nobody has
// reaped.
bool IsProgram(pid_t pid, const std::string& program) {
  const auto stat = ReadFile("/proc/" + std::to_string(pid) + "/stat", kSmallFile);  // "7 (name) S …", see proc(5)
  if (!stat) return false;
  const auto open = stat->find('(');
  const auto close = stat->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= stat->size()) return false;
  const char state = (*stat)[close + 2];
  return stat->substr(open + 1, close - open - 1) == program && state != 'Z' && state != 'X';
}

// True while the kernel is ending the process: killed or exiting, its locks and sockets not yet released.
bool IsEnding(pid_t pid) {
  const auto stat = ReadFile("/proc/" + std::to_string(pid) + "/stat", kSmallFile);
  const auto status = ReadFile("/proc/" + std::to_string(pid) + "/status", kSmallFile);
  if (!stat || !status) return false;
  constexpr unsigned long kExiting = 0x4;  // PF_EXITING, the 7th field after the name; see proc(5)
  constexpr unsigned long kKilled = 1ul << (SIGKILL - 1);
  const auto fields = Split(stat->substr(stat->rfind(')') + 2), ' ');
  if (fields.size() > 6 && (std::strtoul(fields[6].c_str(), nullptr, 10) & kExiting) != 0) return true;
  for (const char* name : {"SigPnd:", "ShdPnd:"}) {
    const auto at = status->find(name);
    if (at != std::string::npos && (std::strtoul(status->c_str() + at + 7, nullptr, 16) & kKilled) != 0) return true;
  }
  return false;
}

// A process that is ending is waited for, so that what takes its place finds its locks free.
bool IsRunning(pid_t pid, const std::string& program) {
  if (!IsProgram(pid, program)) return false;
  if (!IsEnding(pid)) return true;
  if (const auto ending = EndingProcess::Open(pid)) (void)ending->WaitEnd(std::chrono::seconds(10));
  return IsProgram(pid, program);
}

bool IsLocked(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::optional<double> QuotaV2() {
  const auto text = ReadFile("/sys/fs/cgroup/cpu.max", kSmallFile);
  if (!text) return std::nullopt;
  const auto parts = Split(Trim(*text), ' ');
  const auto quota = parts.size() == 2 ? ParseNumber(parts[0]) : std::nullopt;
  const auto period = parts.size() == 2 ? ParseNumber(parts[1]) : std::nullopt;
  if (!quota || !period || *period <= 0) return std::nullopt;
  return *quota / *period;
}

std::optional<double> QuotaV1() {
  const auto quota_text = ReadFile("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", kSmallFile);
  const auto period_text = ReadFile("/sys/fs/cgroup/cpu/cpu.cfs_period_us", kSmallFile);
  if (!quota_text || !period_text) return std::nullopt;
  const auto quota = ParseNumber(Trim(*quota_text));
  const auto period = ParseNumber(Trim(*period_text));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

}  // namespace

std::optional<LocalProgram> FindWorker(const Home& home, const std::string& name) {
  const std::string lock = home.worker_dir(name) + "/lock";
  if (!IsLocked(lock)) return std::nullopt;
  const auto text = ReadFile(lock, kSmallFile);
  const auto pid = text ? ParseInteger(Trim(*text)) : std::nullopt;
  if (!pid || *pid <= 0 || !IsRunning(static_cast<pid_t>(*pid), "icarus-worker")) return std::nullopt;
  return LocalProgram{name, static_cast<pid_t>(*pid)};
}

std::vector<LocalProgram> FindWorkers(const Home& home) {
  std::vector<LocalProgram> workers;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(home.workers(), ec)) {
    if (auto worker = FindWorker(home, entry.path().filename().string())) workers.push_back(std::move(*worker));
  }
  std::sort(workers.begin(), workers.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return workers;
}

Result<std::optional<LocalProgram>> FindLocalBroker(const Home& home) {
  const auto access = ReadAccessFile(home.access_file());
  if (!access && access.error().code == ErrorCode::kUnavailable) return std::optional<LocalProgram>();
  if (!access) return access.error();
  const HostIdentity here = ThisHost();
  if (!access->host.SameMachine(here) && access->host.name != here.name) {
    return Error::Make(ErrorCode::kRefused, "the broker of " + home.dir + " runs on " + access->host.name +
                                                " (process " + std::to_string(access->pid) +
                                                "), not here; if that machine is gone, remove " + home.access_file());
  }
  const auto pid = static_cast<pid_t>(access->pid);
  if (!BrokerProcessExists(*access) || !IsRunning(pid, "icarus-broker")) return std::optional<LocalProgram>();
  return std::optional(LocalProgram{"broker", pid});
}

int UsableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  for (const auto& quota : {QuotaV2(), QuotaV1()}) {
    if (quota) cpus = std::min(cpus, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(cpus, 1);
}

Result<UniqueFd> LockHome(const Home& home) {
  const std::string path = home.dir + "/up.lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return ErrnoError("cannot write " + path, errno);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return ErrnoError("cannot lock " + path, errno);
  }
  return fd;
}

}  // namespace icarus::client
