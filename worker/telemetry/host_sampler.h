// HostSampler: what this machine is doing, for the heartbeat. Reads /proc and statvfs; a sample takes well under a
// millisecond, plus a walk of /proc when the worker's own share is asked for. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/model/telemetry.h"

namespace icarus::worker {

struct HostSamplerOptions {
  std::string root = "/";       // another one in tests
  std::string disk_path = "/";  // on the file system to report on: the scratch directory
  pid_t own_tree = 0;           // the launcher: its CPU time and its descendants' is `own_cpu_percent`; 0: not measured
};

class HostSampler {
 public:
  explicit HostSampler(HostSamplerOptions options);

  // CPU is the mean since the previous sample, since construction for the first. What cannot be read stays 0.
  Telemetry Sample(const Now& now);

 private:
  struct CpuTimes {  // in clock ticks
    std::uint64_t total = 0;
    std::uint64_t busy = 0;
    std::uint64_t own = 0;
  };
  CpuTimes ReadCpu() const;
  void SampleCpu(Telemetry& out);

  HostSamplerOptions options_;
  CpuTimes previous_;
  double cpu_percent_ = 0;
  double own_cpu_percent_ = 0;
};

}  // namespace icarus::worker
