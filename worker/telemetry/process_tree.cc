#include "worker/telemetry/process_tree.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "common/base/small_file.h"
#include "common/base/text.h"

namespace icarus::worker {
namespace {

std::optional<pid_t> PidOfName(const char* name) {
  pid_t pid = 0;
  const char* end = name + std::strlen(name);
  const auto [at, error] = std::from_chars(name, end, pid);
  if (error != std::errc() || at != end || pid <= 0) return std::nullopt;
  return pid;
}

// /proc/PID/stat: pid (comm) state ppid …; the name may hold anything, so fields count from the last parenthesis.
std::optional<ProcessEntry> ParseStat(pid_t pid, std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return std::nullopt;
  ProcessEntry entry;
  entry.pid = pid;
  entry.state = text[name_end + 2];
  std::string_view rest = text.substr(name_end + 3);
  constexpr int kParent = 4, kUserTicks = 14, kLastTicks = 17;  // utime, stime, cutime, cstime
  for (int field = kParent; field <= kLastTicks; ++field) {
    const std::size_t start = rest.find_first_not_of(' ');
    if (start == std::string_view::npos) return std::nullopt;
    rest = rest.substr(start);
    const std::uint64_t number = LeadingNumber(rest).value_or(0);
    if (field == kParent) entry.parent = static_cast<pid_t>(number);
    if (field >= kUserTicks) entry.cpu_ticks += number;
    rest = rest.substr(std::min(rest.find(' '), rest.size()));
  }
  return entry;
}

constexpr std::size_t kMostProcesses = 100'000;

bool HasChildLists(pid_t pid, const std::string& proc) {
  const std::string id = std::to_string(pid);
  return ::access((proc + "/" + id + "/task/" + id + "/children").c_str(), R_OK) == 0;
}

// Children belong to the thread that started them: proc(5), /proc/PID/task/TID/children.
void AppendChildren(pid_t parent, const std::string& proc, std::vector<pid_t>& out) {
  const std::string tasks = proc + "/" + std::to_string(parent) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(tasks.c_str()), ::closedir);
  if (!directory) return;
  while (const dirent* item = ::readdir(directory.get())) {
    if (!PidOfName(item->d_name)) continue;
    for (const auto& word : Split(ReadSmallFile(tasks + "/" + item->d_name + "/children"), ' ')) {
      if (const auto pid = PidOfName(word.c_str())) out.push_back(*pid);
    }
  }
}

}  // namespace

std::vector<ProcessEntry> ReadProcesses(const std::string& proc) {
  std::vector<ProcessEntry> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc.c_str()), ::closedir);
  if (!directory) return processes;
  while (const dirent* item = ::readdir(directory.get())) {
    const auto pid = PidOfName(item->d_name);
    if (!pid) continue;
    const auto entry = ParseStat(*pid, ReadSmallFile(proc + "/" + item->d_name + "/stat"));
    if (entry) processes.push_back(*entry);
  }
  return processes;
}

std::vector<ProcessEntry> DescendantsOf(pid_t ancestor, const std::vector<ProcessEntry>& processes) {
  std::unordered_map<pid_t, std::vector<const ProcessEntry*>> children;
  for (const auto& entry : processes) children[entry.parent].push_back(&entry);
  std::vector<ProcessEntry> found;
  std::vector<pid_t> open{ancestor};
  while (!open.empty()) {
    const auto family = children.extract(open.back());  // extracted: a cycle that reuse of a pid might show ends here
    open.pop_back();
    if (family.empty()) continue;
    for (const ProcessEntry* child : family.mapped()) {
      found.push_back(*child);
      open.push_back(child->pid);
    }
  }
  return found;
}

std::vector<pid_t> DescendantPids(pid_t ancestor, const std::string& proc) {
  std::vector<pid_t> found;
  if (!HasChildLists(ancestor, proc)) {
    for (const auto& entry : DescendantsOf(ancestor, ReadProcesses(proc))) found.push_back(entry.pid);
    return found;
  }
  AppendChildren(ancestor, proc, found);
  for (std::size_t i = 0; i < found.size() && found.size() < kMostProcesses; ++i) AppendChildren(found[i], proc, found);
  return found;
}

std::uint64_t ProcessMemoryBytes(pid_t pid, const std::string& proc) {
  const std::string directory = proc + "/" + std::to_string(pid);
  if (const auto share = NumberAfter(ReadSmallFile(directory + "/smaps_rollup"), "Pss:")) return *share * 1024;
  const std::string sizes = ReadSmallFile(directory + "/statm");  // "size resident shared …", in pages
  const std::size_t blank = sizes.find(' ');
  if (blank == std::string::npos) return 0;
  return LeadingNumber(std::string_view(sizes).substr(blank)).value_or(0) * static_cast<std::uint64_t>(::getpagesize());
}

}  // namespace icarus::worker
