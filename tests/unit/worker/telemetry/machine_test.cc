#include "worker/telemetry/machine.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "common/base/random.h"
#include "worker/telemetry/host_sampler.h"
#include "worker/telemetry/process_tree.h"

namespace icarus::worker {
namespace {

// A directory tree that stands for "/".
class FakeRoot : public ::testing::Test {
 protected:
  FakeRoot() { std::filesystem::create_directories(root_); }
  ~FakeRoot() override { EXPECT_TRUE(RemoveTree(root_)); }
  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  std::string root_ = (std::filesystem::temp_directory_path() / ("icarus-root-" + RandomHex(6))).string();
};

using MachineTest = FakeRoot;
using HostSamplerTest = FakeRoot;
using ProcessTreeTest = FakeRoot;

TEST_F(MachineTest, CpusAreAtLeastOneAndAtMostOnline) {
  EXPECT_GE(EffectiveCpus(root_), 1);
  Put("/sys/devices/system/cpu/online", "0\n");
  EXPECT_EQ(EffectiveCpus(root_), 1);
  EXPECT_EQ(EffectiveCpus("/"), EffectiveCpus());
}

TEST_F(MachineTest, UnifiedQuotaOfAnEnclosingGroupCounts) {
  Put("/sys/devices/system/cpu/online", "0-63\n");
  Put("/proc/self/cgroup", "0::/system.slice/icarus.service\n");
  Put("/sys/fs/cgroup/system.slice/icarus.service/cpu.max", "max 100000\n");
  const int unlimited = EffectiveCpus(root_);
  Put("/sys/fs/cgroup/system.slice/cpu.max", "190000 100000\n");
  EXPECT_EQ(EffectiveCpus(root_), 1);
  EXPECT_GE(unlimited, 1);
  Put("/sys/fs/cgroup/system.slice/cpu.max", "10000 100000\n");
  EXPECT_EQ(EffectiveCpus(root_), 1);
}

TEST_F(MachineTest, OldQuotaCounts) {
  Put("/proc/self/cgroup", "3:cpuset:/\n2:cpu,cpuacct:/docker/abc\n0::/\n");
  Put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");  // in a container the path lies outside the mount
  Put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(EffectiveCpus(root_), 1);
  Put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_GE(EffectiveCpus(root_), 1);
}

TEST_F(MachineTest, MemoryIsTheMachinesWithoutACgroup) {
  Put("/proc/meminfo", "MemTotal:       8000 kB\nMemFree:  100 kB\nMemAvailable:   3000 kB\n");
  EXPECT_EQ(TotalMemory(root_), 8000u * 1024);
  EXPECT_EQ(ReadMemory(root_).available_bytes, 3000u * 1024);
}

TEST_F(MachineTest, MemoryIsTheGroupsWhereThatIsLess) {
  Put("/proc/meminfo", "MemTotal:  8000 kB\nMemAvailable:  6000 kB\n");
  Put("/proc/self/cgroup", "0::/a/b\n");
  Put("/sys/fs/cgroup/a/memory.max", "4096000\n");
  Put("/sys/fs/cgroup/a/memory.current", "3072000\n");
  Put("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 1024000\n");
  Put("/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(ReadMemory(root_).total_bytes, 4096000u);
  EXPECT_EQ(ReadMemory(root_).available_bytes, 2048000u);
}

TEST_F(MachineTest, OldMemoryLimitCounts) {
  Put("/proc/meminfo", "MemTotal:  8000 kB\nMemAvailable:  6000 kB\n");
  Put("/proc/self/cgroup", "4:memory:/x\n");
  Put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1000000\n");
  Put("/sys/fs/cgroup/memory/x/memory.usage_in_bytes", "400000\n");
  Put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(ReadMemory(root_).total_bytes, 1000000u);
  EXPECT_EQ(ReadMemory(root_).available_bytes, 600000u);
}

TEST_F(MachineTest, IdentityIsBootAndName) {
  Put("/proc/sys/kernel/random/boot_id", "1b6b\n");
  Put("/proc/sys/kernel/hostname", "node7\n");
  EXPECT_EQ(ReadHostIdentity(root_).boot_id, "1b6b");
  EXPECT_EQ(ReadHostIdentity(root_).hostname, "node7");
  EXPECT_EQ(ReadHostIdentity().boot_id.size(), 36u);
}

TEST_F(HostSamplerTest, CpuIsTheShareSinceTheLastSample) {
  Put("/proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3 4\n");
  HostSampler sampler({.root = root_, .disk_path = root_});
  Put("/proc/stat", "cpu  130 10 110 860 90 0 0 0 77 0\n");  // 50 of 200 busy; waiting for the disk is not
  const Telemetry first = sampler.Sample({{}, 1234});
  EXPECT_DOUBLE_EQ(first.cpu_percent, 25.0);
  EXPECT_EQ(first.wall_ms, 1234);
  EXPECT_DOUBLE_EQ(sampler.Sample({{}, 1235}).cpu_percent, 25.0);  // no tick since
  Put("/proc/stat", "cpu  230 10 110 860 90 0 0 0 77 0\n");
  EXPECT_DOUBLE_EQ(sampler.Sample({{}, 1236}).cpu_percent, 100.0);
}

TEST_F(HostSamplerTest, OwnShareIsThatOfTheTree) {
  const auto stat = [](const char* pid, const char* parent, const char* ticks) {
    return std::string(pid) + " (a) b) S " + parent + " 1 1 0 -1 0 0 0 0 0 " + ticks + " 20 0 1 0 5 0 0\n";
  };
  Put("/proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n");
  Put("/proc/50/stat", stat("50", "1", "1 1 1 1"));
  Put("/proc/51/stat", stat("51", "50", "5 5 0 0"));
  Put("/proc/60/stat", stat("60", "1", "9 9 9 9"));
  HostSampler sampler({.root = root_, .disk_path = root_, .own_tree = 50});
  Put("/proc/stat", "cpu  100 0 0 100 0 0 0 0 0 0\n");
  Put("/proc/51/stat", stat("51", "50", "35 15 0 0"));
  Put("/proc/60/stat", stat("60", "1", "69 9 9 9"));
  const Telemetry sample = sampler.Sample({});
  EXPECT_DOUBLE_EQ(sample.cpu_percent, 50.0);
  EXPECT_DOUBLE_EQ(sample.own_cpu_percent, 20.0);
}

TEST_F(HostSamplerTest, MemoryAndDiskAddUp) {
  Put("/proc/meminfo", "MemTotal:  1000 kB\nMemAvailable:  250 kB\n");
  HostSampler sampler({.root = root_, .disk_path = root_});
  const Telemetry sample = sampler.Sample({});
  EXPECT_DOUBLE_EQ(sample.memory_percent, 75.0);
  EXPECT_EQ(sample.memory_used_bytes, 750u * 1024);
  EXPECT_EQ(sample.memory_available_bytes, 250u * 1024);
  EXPECT_GT(sample.disk_free_bytes, 0u);
  EXPECT_GT(sample.disk_percent, 0.0);
  EXPECT_LE(sample.disk_percent, 100.0);
}

TEST_F(HostSamplerTest, AMachineThatTellsNothingGivesZeros) {
  HostSampler sampler({.root = root_ + "/nowhere", .disk_path = root_ + "/nowhere"});
  const Telemetry sample = sampler.Sample({});
  EXPECT_EQ(sample.cpu_percent, 0.0);
  EXPECT_EQ(sample.memory_percent, 0.0);
  EXPECT_EQ(sample.disk_percent, 0.0);
}

TEST_F(HostSamplerTest, TheRealMachineIsReadable) {
  HostSampler sampler({});
  const Telemetry sample = sampler.Sample(ReadClocks());
  EXPECT_GT(sample.memory_used_bytes, 0u);
  EXPECT_GT(sample.disk_free_bytes, 0u);
}

TEST_F(ProcessTreeTest, DescendantsAreFoundAcrossGenerations) {
  const std::vector<ProcessEntry> all{{1, 0}, {10, 1}, {11, 10}, {12, 11}, {20, 1}, {30, 31}, {31, 30}};
  std::vector<pid_t> found;
  for (const auto& entry : DescendantsOf(10, all)) found.push_back(entry.pid);
  EXPECT_EQ(found, (std::vector<pid_t>{11, 12}));
  EXPECT_EQ(DescendantsOf(30, all).size(), 2u);  // a loop that cannot be ends all the same
  EXPECT_TRUE(DescendantsOf(99, all).empty());
}

TEST_F(ProcessTreeTest, ListsOfChildrenAreUsedWhereThereAreSome) {
  Put("/proc/5/task/5/children", "6 7 ");
  Put("/proc/5/task/55/children", "8 ");  // started by another thread
  Put("/proc/6/task/6/children", "9 ");
  Put("/proc/9/task/9/children", "");
  auto found = DescendantPids(5, root_ + "/proc");
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<pid_t>{6, 7, 8, 9}));
}

TEST_F(ProcessTreeTest, RealDescendantsAreFound) {
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  EXPECT_EQ(DescendantPids(::getpid()), std::vector<pid_t>{child});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(ProcessTreeTest, MemoryIsTheProportionalShareOrTheResidentSize) {
  Put("/proc/7/smaps_rollup", "00-ff ---p 0 00:00 0 [rollup]\nRss: 900 kB\nPss:  321 kB\nPss_Dirty: 1 kB\n");
  EXPECT_EQ(ProcessMemoryBytes(7, root_ + "/proc"), 321u * 1024);
  Put("/proc/8/statm", "1000 20 5 1 0 6 0\n");
  EXPECT_EQ(ProcessMemoryBytes(8, root_ + "/proc"), 20u * static_cast<std::uint64_t>(::getpagesize()));
  EXPECT_EQ(ProcessMemoryBytes(9, root_ + "/proc"), 0u);
}

}  // namespace
}  // namespace icarus::worker
