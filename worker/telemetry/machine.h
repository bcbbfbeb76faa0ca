// What this machine offers to a worker: CPUs and memory within its cgroup's limits, and which machine it is.
//
// `root` is "/" except in tests. cgroup v1 and v2 are both read; limits of enclosing groups count too.
// Sources: cgroups(7), Documentation/admin-guide/cgroup-v2.rst (cpu.max, memory.max), proc(5).
#pragma once

#include <cstdint>
#include <string>

namespace icarus::worker {

// The smallest of: CPUs that are online, CPUs this process may run on, the cgroup's quota rounded down; at least 1.
int EffectiveCpus(const std::string& root = "/");

struct MemoryState {
  std::uint64_t total_bytes = 0;      // of the machine, or the cgroup's limit when that is smaller
  std::uint64_t available_bytes = 0;  // without swapping; reclaimable caches count as available
};
// Zeros when /proc/meminfo cannot be read.
MemoryState ReadMemory(const std::string& root = "/");
std::uint64_t TotalMemory(const std::string& root = "/");

struct HostIdentity {
  std::string boot_id;  // a new one each time the machine starts
  std::string hostname;
};
HostIdentity ReadHostIdentity(const std::string& root = "/");

}  // namespace icarus::worker
