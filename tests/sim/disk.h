// The broker's disk: what is durable survives a crash, the batch in flight may or may not.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "broker/core/records.h"

namespace icarus::sim {

struct StoredJob {
  broker::JobRecord record;
  std::optional<broker::JobStatusRecord> status;
  std::map<TaskIndex, broker::TaskRecord> tasks;
  std::map<TaskIndex, Body> bodies;
};

// The job store's content, as a broker that starts would find it.
struct StoreImage {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::int64_t clock_ms = 0;
  std::uint64_t last_job = 0;
  std::map<JobId, StoredJob> jobs;
  std::map<std::uint64_t, broker::DispatchRecord> dispatches;
  std::map<std::string, std::string> settings;

  // Absolute records: applying a batch twice is applying it once.
  void Apply(const broker::RecordBatch& batch);
};

struct CachedValue {
  broker::CacheEntry entry;
  Body body;
  std::uint64_t order = 0;  // of writing; the last ones may be lost in a crash
};
using CacheImage = std::map<ContentHash, CachedValue>;

}  // namespace icarus::sim
