// What a worker says of its machine with each heartbeat.
#pragma once

#include <cstdint>

#include "common/model/fields.h"

namespace icarus {

struct Telemetry {
  double cpu_percent = 0;      // of the host, since the last sample, all CPUs together 100
  double own_cpu_percent = 0;  // of it, spent by this worker's process groups
  double memory_percent = 0;
  std::uint64_t memory_used_bytes = 0;
  std::uint64_t memory_available_bytes = 0;
  double disk_percent = 0;  // of the file system with the scratch directory
  std::uint64_t disk_free_bytes = 0;
  std::int64_t wall_ms = 0;  // when sampled
  ICARUS_FIELDS(Telemetry, cpu_percent, own_cpu_percent, memory_percent, memory_used_bytes, memory_available_bytes,
                disk_percent, disk_free_bytes, wall_ms)
};

}  // namespace icarus
