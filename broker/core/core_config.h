// The settings that the core obeys, typed. The app makes them from the configuration; a change takes effect at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "broker/core/admission.h"
#include "broker/core/host_gate.h"

namespace icarus::broker {

struct CoreConfig {
  std::uint64_t cache_max_bytes = 500ull << 20;
  std::uint64_t cache_max_entries = 100'000;
  std::uint64_t cache_value_bytes = 64ull << 20;     // of intermediate values, beside the results
  std::int64_t cache_default_ttl_ms = 0;             // 0: never expires
  std::map<std::string, std::int64_t> cache_ttl_ms;  // by analysis
  std::int64_t cache_failure_ttl_ms = 300'000;       // of what is known to fail; 0: nothing is
  std::uint64_t max_concurrent = 0;                  // running tasks a user; 0: no limit
  std::int64_t aging_ms = 300'000;                   // one priority step
  std::int64_t worker_lost_after_ms = 15'000;
  std::int64_t reattach_grace_ms = 60'000;
  std::uint32_t max_worker_deaths = 5;
  std::int64_t client_session_ms = 60'000;            // a client silent for longer is forgotten
  std::map<std::string, std::string> solver_default;  // solver → identity
  std::map<std::string, std::int64_t> resources;      // cluster-wide named resources
  std::int64_t retention_ms = 720ll * 3'600'000;      // how long an ended job is kept
  std::int32_t emergency_priority_floor = 5;          // running tasks below it are stopped in an emergency,
  std::int64_t emergency_max_lost_ms = 30 * 60'000;   // but for those that would lose more
  std::int64_t maintenance_interval_ms = 30 * 60'000;
  AdmissionLimits admission;
  std::uint64_t max_workers = 100'000;
  bool retry_no_convergence = false;
  HostLimits host_limits;
  std::size_t unpacked_jobs = 4096;  // idle ones beyond it are packed (JobTable)
};

}  // namespace icarus::broker
