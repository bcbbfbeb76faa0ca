// The processes of this machine as /proc shows them, and what a tree of them uses. Formats: proc(5).
//
// A snapshot is not atomic: a process that forks while the directory is read may be missed. Who must find all (to kill
// them) repeats until nothing is found.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace icarus::worker {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';             // 'Z': ended, not yet waited for
  std::uint64_t cpu_ticks = 0;  // user and system, of itself and of the children that it waited for
};

// Every process below `proc`. Those that end while it is read are left out.
std::vector<ProcessEntry> ReadProcesses(const std::string& proc = "/proc");

// The processes whose chain of parents leads to `ancestor`, itself left out.
std::vector<ProcessEntry> DescendantsOf(pid_t ancestor, const std::vector<ProcessEntry>& processes);

// The same, of the real processes now. Where the kernel lists children (CONFIG_PROC_CHILDREN) only the tree is read,
// not all processes: cheap enough for sampling, and as little a snapshot.
std::vector<pid_t> DescendantPids(pid_t ancestor, const std::string& proc = "/proc");

// Memory of one process: its proportional share (PSS), or the resident size where the share cannot be read. 0 if it is
// gone.
std::uint64_t ProcessMemoryBytes(pid_t pid, const std::string& proc = "/proc");

}  // namespace icarus::worker
