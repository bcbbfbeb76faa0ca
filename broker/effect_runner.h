// Carries out the core's effects: batches to the commit thread, promises when their batch is durable, reads and cache
// work to their threads. Owned and used by the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/core/batch_gate.h"
#include "broker/core/outbox.h"
#include "broker/net/gateway.h"
#include "broker/ports/cache_store.h"
#include "broker/ports/job_store.h"
#include "broker/storage/commit_thread.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"

namespace icarus::broker {

// What comes back to the core, called on the loop's thread.
struct CoreCallbacks {
  std::function<void(const ContentHash& key, Body body, bool damaged)> on_cache_read;
  std::function<void(std::uint64_t ticket, const std::vector<std::optional<TaskRecord>>&, std::vector<Body>)>
      on_tasks_read;
  std::function<void(const std::string& key, const std::string& value)> on_setting_learned;
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
  bool has_unwritten() const { return gate_.has_unwritten(); }
  // On the cache's thread, after what was decided before. False: it has too much to do.
  bool PostCacheWork(std::function<void(CacheStore&)> work);
  std::uint64_t dropped_cache_puts() const { return dropped_cache_puts_; }

 private:
  void Deliver(Effect& effect);
  void TellSequence(AnyMessage& payload) const;
  void PostCacheRead(const ContentHash& key);
  void PostCachePut(PutCache put);
  void PostTaskRead(ReadTasks read);

  Gateway& gateway_;
  JobStore& jobs_;
  CacheStore& cache_;
  LoopInbox& inbox_;
  CoreCallbacks callbacks_;
  BatchGate gate_;
  std::uint64_t durable_sequence_;
  std::string storage_reason_;
  std::uint64_t dropped_cache_puts_ = 0;
  std::unordered_map<ContentHash, Body> being_put_;  // into the cache: a read may overtake the write
  CommitThread commit_;
  IoThread cache_thread_;
  IoThread page_thread_;
};

}  // namespace icarus::broker
