#include "broker/core_settings.h"

#include <cmath>

namespace icarus::broker {
namespace {

std::int64_t Milliseconds(double seconds) { return static_cast<std::int64_t>(std::llround(seconds * 1000)); }

double NumberOf(const SettingValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? *number : 0;
}

}  // namespace

std::uint64_t EventsLimit(const Settings& settings) {
  return static_cast<std::uint64_t>(settings.Integer("limits.events_mb")) << 20;
}

CoreConfig MakeCoreConfig(const Settings& settings) {
  CoreConfig config;
  config.cache_max_bytes = static_cast<std::uint64_t>(settings.Integer("cache.max_size_mb")) << 20;
  config.cache_max_entries = static_cast<std::uint64_t>(settings.Integer("cache.max_entries"));
  config.cache_value_bytes = static_cast<std::uint64_t>(settings.Integer("cache.intermediate_mb")) << 20;
  config.cache_default_ttl_ms = Milliseconds(settings.Number("cache.default_ttl_seconds"));
  config.cache_failure_ttl_ms = Milliseconds(settings.Number("cache.failure_ttl_seconds"));
  for (const auto& [analysis, value] : settings.Matching("cache.ttl.<analysis>")) {
    config.cache_ttl_ms[analysis] = Milliseconds(NumberOf(value));
  }
  config.max_concurrent = static_cast<std::uint64_t>(settings.Integer("operations.max_concurrent"));
  config.aging_ms = Milliseconds(settings.Number("queue.aging_seconds"));
  config.worker_lost_after_ms = Milliseconds(settings.Number("worker.lost_after_seconds"));
  config.reattach_grace_ms = Milliseconds(settings.Number("worker.reattach_grace_seconds"));
  config.max_worker_deaths = static_cast<std::uint32_t>(settings.Integer("retry.max_worker_deaths"));
  for (const auto& [solver, value] : settings.Matching("solvers.<name>.default")) {
    if (const auto* identity = std::get_if<std::string>(&value)) config.solver_default[solver] = *identity;
  }
  for (const auto& [name, value] : settings.Matching("resources.<name>")) {
    config.resources[name] = static_cast<std::int64_t>(NumberOf(value));
  }
  config.retention_ms = Milliseconds(settings.Number("jobs.retention_hours") * 3600);
  config.emergency_priority_floor = static_cast<std::int32_t>(settings.Integer("emergency.priority_floor"));
  config.emergency_max_lost_ms = Milliseconds(settings.Number("emergency.max_lost_minutes") * 60);
  config.maintenance_interval_ms = Milliseconds(settings.Number("maintenance.interval_minutes") * 60);
  const auto count = [&](const char* key) { return static_cast<std::uint64_t>(settings.Integer(key)); };
  config.admission = {count("limits.pending_tasks"), count("limits.jobs"), count("limits.tasks_per_job"),
                      count("limits.memory_mb") << 20};
  config.max_workers = count("limits.workers");
  config.retry_no_convergence = settings.Flag("retry.no_convergence");
  config.host_limits = {settings.Flag("throttle.enabled"), settings.Number("throttle.memory_percent"),
                        settings.Number("throttle.disk_percent"), settings.Number("throttle.resume_below_percent"),
                        Milliseconds(settings.Number("throttle.dwell_seconds"))};
  return config;
}

}  // namespace icarus::broker
