#include "worker/telemetry/host_sampler.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/small_file.h"
#include "common/base/text.h"
#include "worker/telemetry/machine.h"
#include "worker/telemetry/process_tree.h"

namespace icarus::worker {
namespace {

// user nice system idle iowait irq softirq steal of the first line of /proc/stat; guest times are part of user.
constexpr std::size_t kIdle = 3;
constexpr std::size_t kIoWait = 4;
constexpr std::size_t kCpuColumns = 8;

double Percent(double part, double whole) { return whole > 0 ? std::clamp(100.0 * part / whole, 0.0, 100.0) : 0.0; }

std::uint64_t OwnTicks(const std::string& proc, pid_t tree) {
  const auto processes = ReadProcesses(proc);
  std::uint64_t ticks = 0;
  for (const auto& entry : processes) {
    if (entry.pid == tree) ticks += entry.cpu_ticks;
  }
  for (const auto& entry : DescendantsOf(tree, processes)) ticks += entry.cpu_ticks;
  return ticks;
}

void SampleMemory(const std::string& root, Telemetry& out) {
  const MemoryState memory = ReadMemory(root);
  out.memory_available_bytes = memory.available_bytes;
  out.memory_used_bytes = memory.total_bytes - memory.available_bytes;
  out.memory_percent = Percent(static_cast<double>(out.memory_used_bytes), static_cast<double>(memory.total_bytes));
}

// As df counts: what is reserved for root is neither used nor free.
void SampleDisk(const std::string& path, Telemetry& out) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return;
  const auto used = static_cast<double>(info.f_blocks - info.f_bfree);
  out.disk_percent = Percent(used, used + static_cast<double>(info.f_bavail));
  out.disk_free_bytes = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace

HostSampler::HostSampler(HostSamplerOptions options) : options_(std::move(options)) {
  if (options_.root == "/") options_.root.clear();
  previous_ = ReadCpu();
}

HostSampler::CpuTimes HostSampler::ReadCpu() const {
  CpuTimes times;
  const std::string text = ReadSmallFile(options_.root + "/proc/stat");
  std::string_view line = std::string_view(text).substr(0, text.find('\n'));
  if (line.substr(0, 4) != "cpu ") return times;
  line.remove_prefix(4);
  std::size_t column = 0;
  for (const auto& word : Split(line, ' ')) {
    const auto ticks = LeadingNumber(word);
    if (!ticks || column == kCpuColumns) continue;
    times.total += *ticks;
    if (column != kIdle && column != kIoWait) times.busy += *ticks;
    ++column;
  }
  if (options_.own_tree > 0) times.own = OwnTicks(options_.root + "/proc", options_.own_tree);
  return times;
}

void HostSampler::SampleCpu(Telemetry& out) {
  const CpuTimes now = ReadCpu();
  if (now.total > previous_.total) {  // otherwise no tick has passed: the last figure still holds
    const auto total = static_cast<double>(now.total - previous_.total);
    // iowait, and with it busy, may step back by a little (proc(5)); so may our own share when a process ends unwaited
    // for.
    cpu_percent_ = Percent(static_cast<double>(now.busy) - static_cast<double>(previous_.busy), total);
    own_cpu_percent_ = Percent(static_cast<double>(now.own) - static_cast<double>(previous_.own), total);
    previous_ = now;
  }
  out.cpu_percent = cpu_percent_;
  out.own_cpu_percent = std::min(own_cpu_percent_, cpu_percent_);
}

Telemetry HostSampler::Sample(const Now& now) {
  Telemetry out;
  out.wall_ms = now.wall_ms;
  SampleCpu(out);
  SampleMemory(options_.root, out);
  SampleDisk(options_.disk_path, out);
  return out;
}

}  // namespace icarus::worker
