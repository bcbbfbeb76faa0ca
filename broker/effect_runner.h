// Carries out the core's effects: batches to the commit thread, promises when their batch is durable, reads and cache
// work to their threads. Owned and used by the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/cache_writer.h"
#include "broker/core/batch_gate.h"
#include "broker/core/outbox.h"
#include "broker/net/gateway.h"
#include "broker/ports/job_store.h"
#include "broker/storage/commit_thread.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"

namespace icarus::broker {

// What comes back to the core, called on the loop's thread.
struct CoreCallbacks {
  CacheWriter::Callbacks cache;
  std::function<void(std::uint64_t ticket, const std::vector<std::optional<TaskRecord>>&, std::vector<Body>)>
      on_tasks_read;
  std::function<void(const std::string& key, const std::string& value)> on_setting_learned;
  std::function<void(std::uint64_t ticket, const CacheReleased&)> on_memory_released;
  std::function<void()> on_durable;  // a batch is on disk
};

class EffectRunner {
 public:
  EffectRunner(Gateway& gateway, JobStore& jobs, CacheStore& cache, LoopInbox& inbox, CoreCallbacks callbacks,
               std::uint64_t last_sequence);

  // Takes this turn's effects. Afterwards Pump.
  void Run(std::vector<Effect> effects);
  // Seals and submits the open batch if none is in flight, and releases what a finished commit allows. An error is a
  // failed disk: the process must end without writing anything more. `clock_ms`: broker time.
  Status Pump(std::int64_t clock_ms);
  // Of the last batch that is on disk.
  std::uint64_t durable_sequence() const { return durable_sequence_; }
  // Why nothing can be written now; empty: it can.
  const std::string& storage_reason() const { return storage_reason_; }
  EventLog& events() { return gate_.events(); }
  // Rises with every batch of the job store that is on disk, and of the cache.
  std::uint64_t changes() const { return durable_sequence_ + cache_.batches(); }
  // Of the batch that holds the last of what was decided.
  std::uint64_t decided_sequence() const { return gate_.decided_sequence(); }
  bool has_unwritten() const { return gate_.has_unwritten() || cache_.has_unwritten(); }
  CacheWriter& cache() { return cache_; }

 private:
  void Deliver(Effect& effect);
  void TellSequence(AnyMessage& payload) const;
  void Release(const ReleaseMemory& release);
  void SendAfterCacheWrites(SendMessage send);
  void PostTaskRead(ReadTasks read);

  Gateway& gateway_;
  JobStore& jobs_;
  LoopInbox& inbox_;
  CoreCallbacks callbacks_;
  BatchGate gate_;
  std::uint64_t durable_sequence_;
  std::string storage_reason_;
  CommitThread commit_;
  CacheWriter cache_;
  IoThread page_thread_;
};

}  // namespace icarus::broker
