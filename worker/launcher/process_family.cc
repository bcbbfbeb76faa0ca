#include "worker/launcher/process_family.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "worker/telemetry/process_tree.h"

namespace icarus::worker {

double CpuSeconds(const struct rusage& usage) {
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

std::vector<EndedChild> ProcessFamily::Reap() {
  std::vector<EndedChild> ended;
  while (true) {
    int status = 0;
    struct rusage used {};
    const pid_t pid = ::wait4(-1, &status, WNOHANG, &used);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) {
      empty_ = pid < 0 && errno == ECHILD;
      return ended;
    }
    usage_.cpu_s += CpuSeconds(used);
    usage_.max_rss_bytes = std::max(usage_.max_rss_bytes, static_cast<std::uint64_t>(used.ru_maxrss) * 1024);
    ended.push_back({pid, status});
  }
}

std::size_t ProcessFamily::Signal(int signal, const std::vector<pid_t>& spared) {
  auto processes = ReadProcesses();
  const auto is_spared = [&](const ProcessEntry& entry) {
    return std::find(spared.begin(), spared.end(), entry.pid) != spared.end();
  };
  // Without the spared ones nothing leads from us to their descendants.
  processes.erase(std::remove_if(processes.begin(), processes.end(), is_spared), processes.end());
  std::size_t alive = 0;
  for (const auto& entry : DescendantsOf(::getpid(), processes)) {
    if (entry.state == 'Z') continue;
    ++alive;
    ::kill(entry.pid, signal);
    if (signal != SIGKILL) ::kill(entry.pid, SIGCONT);
  }
  return alive;
}

ProcessFamily::Footprint ProcessFamily::Measure() {
  Footprint footprint;
  for (const pid_t pid : DescendantPids(::getpid())) {
    footprint.bytes += ProcessMemoryBytes(pid);
    ++footprint.processes;
  }
  return footprint;
}

}  // namespace icarus::worker
