#include "worker/telemetry/machine.h"

#include <sched.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/small_file.h"
#include "common/base/text.h"

namespace icarus::worker {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::string Under(const std::string& root, const std::string& path) { return (root == "/" ? "" : root) + path; }

// This process' path in the hierarchy of `controller` ("" for v2), from lines "id:controllers:path".
std::string CgroupPath(const std::string& root, std::string_view controller) {
  for (const auto& line : Split(ReadSmallFile(Under(root, "/proc/self/cgroup")), '\n')) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto names = Split(std::string_view(line).substr(first + 1, second - first - 1), ',');
    if (std::find(names.begin(), names.end(), controller) != names.end()) return line.substr(second + 1);
  }
  return {};
}

// The group's directory and those around it, innermost first. In a container the path may not exist below the mount:
// what is missing reads as empty, and the mount's own directory comes last.
std::vector<std::string> GroupDirectories(const std::string& root, const std::string& mount, std::string path) {
  std::vector<std::string> directories;
  while (path.size() > 1 && path.front() == '/') {
    directories.push_back(Under(root, mount) + path);
    path.resize(path.rfind('/'));
  }
  directories.push_back(Under(root, mount));
  return directories;
}

std::vector<std::string> UnifiedGroups(const std::string& root) {
  return GroupDirectories(root, "/sys/fs/cgroup", CgroupPath(root, ""));
}

std::vector<std::string> ControllerGroups(const std::string& root, const std::string& controller) {
  return GroupDirectories(root, "/sys/fs/cgroup/" + controller, CgroupPath(root, controller));
}

void LowerTo(double& limit, std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
  if (quota && period && *quota > 0 && *period > 0) {
    limit = std::min(limit, static_cast<double>(*quota) / static_cast<double>(*period));
  }
}

// CPUs the quota allows; infinite without one.
double CpuQuota(const std::string& root) {
  double limit = std::numeric_limits<double>::infinity();
  for (const auto& group : UnifiedGroups(root)) {
    const auto words = Split(Trim(ReadSmallFile(group + "/cpu.max")), ' ');  // "max 100000" or "150000 100000"
    if (words.size() == 2) LowerTo(limit, LeadingNumber(words[0]), LeadingNumber(words[1]));
  }
  for (const auto& group : ControllerGroups(root, "cpu")) {  // −1: none, and no number to LeadingNumber
    LowerTo(limit, LeadingNumber(ReadSmallFile(group + "/cpu.cfs_quota_us")),
            LeadingNumber(ReadSmallFile(group + "/cpu.cfs_period_us")));
  }
  return limit;
}

// "0-3,8" is 5.
int CountCpuList(std::string_view list) {
  int count = 0;
  for (const auto& range : Split(Trim(list), ',')) {
    const auto first = LeadingNumber(range);
    const auto dash = range.find('-');
    const auto last = dash == std::string::npos ? first : LeadingNumber(std::string_view(range).substr(dash + 1));
    if (first && last && *last >= *first) count += static_cast<int>(*last - *first + 1);
  }
  return count;
}

int AllowedCpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::numeric_limits<int>::max();
  return CPU_COUNT(&allowed);
}

struct GroupMemory {
  std::uint64_t limit = kUnlimited;
  std::uint64_t available = kUnlimited;
};

void Tighten(GroupMemory& memory, std::optional<std::uint64_t> limit, std::uint64_t used, std::uint64_t reclaimable) {
  if (!limit) return;
  memory.limit = std::min(memory.limit, *limit);
  const std::uint64_t held = used > reclaimable ? used - reclaimable : 0;
  memory.available = std::min(memory.available, *limit > held ? *limit - held : 0);
}

GroupMemory ReadGroupMemory(const std::string& root) {
  GroupMemory memory;
  const auto number = [](const std::string& path) { return LeadingNumber(ReadSmallFile(path)); };
  for (const auto& group : UnifiedGroups(root)) {
    Tighten(memory, number(group + "/memory.max"), number(group + "/memory.current").value_or(0),
            NumberAfter(ReadSmallFile(group + "/memory.stat"), "inactive_file ").value_or(0));
  }
  for (const auto& group : ControllerGroups(root, "memory")) {
    Tighten(memory, number(group + "/memory.limit_in_bytes"), number(group + "/memory.usage_in_bytes").value_or(0),
            NumberAfter(ReadSmallFile(group + "/memory.stat"), "total_inactive_file ").value_or(0));
  }
  return memory;
}

}  // namespace

int EffectiveCpus(const std::string& root) {
  int cpus = AllowedCpus();
  const int online = CountCpuList(ReadSmallFile(Under(root, "/sys/devices/system/cpu/online")));
  if (online > 0) cpus = std::min(cpus, online);
  const double quota = CpuQuota(root);
  if (quota < static_cast<double>(cpus)) cpus = static_cast<int>(quota);
  return std::max(cpus, 1);
}

MemoryState ReadMemory(const std::string& root) {
  const std::string info = ReadSmallFile(Under(root, "/proc/meminfo"));
  MemoryState state;
  state.total_bytes = NumberAfter(info, "MemTotal:").value_or(0) * 1024;
  state.available_bytes = NumberAfter(info, "MemAvailable:").value_or(0) * 1024;
  const GroupMemory group = ReadGroupMemory(root);
  state.total_bytes = std::min(state.total_bytes, group.limit);
  state.available_bytes = std::min({state.available_bytes, group.available, state.total_bytes});
  return state;
}

std::uint64_t TotalMemory(const std::string& root) { return ReadMemory(root).total_bytes; }

HostIdentity ReadHostIdentity(const std::string& root) {
  return {std::string(Trim(ReadSmallFile(Under(root, "/proc/sys/kernel/random/boot_id")))),
          std::string(Trim(ReadSmallFile(Under(root, "/proc/sys/kernel/hostname"))))};
}

}  // namespace icarus::worker
