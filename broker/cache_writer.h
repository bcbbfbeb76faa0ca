// The loop's side of the cache's thread: what the core decides is written in batches, one at a time, in its order, and
// what is read is found also while it is still being written. Owned and used by the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/outbox.h"
#include "broker/ports/cache_store.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"

namespace icarus::broker {

class CacheWriter {
 public:
  // Called on the loop's thread, never from within a call of this class.
  struct Callbacks {
    std::function<void(const ContentHash& key, CacheReadEnd end, Body body)> on_read;
    // Values that were put and are not in the store: it has too much to do, no room, or its disk fails.
    std::function<void(const std::vector<ContentHash>& keys)> on_puts_lost;
    std::function<void(const std::string& why)> on_state;    // why nothing is put now; empty: it is again
    std::function<CacheRoom()> room;                         // at any time, also from within
    std::function<bool(const ContentHash& file)> name_file;  // false: it is gone; any thread
  };
  using Work = std::function<void(CacheStore&)>;
  using Written = std::function<void(const Status&)>;
  using Released = std::function<void(const CacheReleased&)>;

  CacheWriter(CacheStore& store, LoopInbox& inbox, Callbacks callbacks);

  // A value one of whose `files` is gone is damaged.
  void Read(const ContentHash& key, const std::vector<ContentHash>& files);
  // One that finds no place is lost, which is told; the others are never dropped: what fails is tried again.
  // `replaces`: the store may have another value under the key.
  void Put(const ContentHash& key, CachePut put, bool replaces);
  void Remove(const std::vector<ContentHash>& keys);
  void Use(const ContentHash& key, std::uint64_t last_used);
  void Clear();  // also when the disk was full: it gives space back
  // When what was decided until the end of this turn has been tried, with what came of it; at once, with the reason,
  // when it cannot be tried now.
  void AfterWriting(Written done);
  // Memory that is not needed goes back to the machine, after what was decided until the end of this turn. `caches`:
  // what the store keeps of its disk in memory is not needed. `done` is told of no more than was freed: also of the
  // disk, when everything was cleared in the same turn.
  void ReleaseMemory(bool caches, Released done);
  // On the cache's thread, after what was decided until the end of this turn. False: it has too much to do.
  bool Post(Work work);

  // Starts the next batch when none is being written. `clock_ms`: broker time.
  void Pump(std::int64_t clock_ms);
  // When Pump has something to do that nothing else wakes the loop for.
  std::optional<std::int64_t> DueMs() const { return open_.empty() ? std::nullopt : paused_until_ms_; }
  std::uint64_t batches() const { return batches_; }  // that were begun
  // Something waits that can be written now.
  bool has_unwritten() const { return writing_ || (!open_.empty() && !paused_until_ms_); }

 private:
  struct Outcome {
    Status status;
    bool without_puts = false;
    std::uint64_t cleared_bytes = 0;  // of the disk
  };
  struct Release {
    bool caches = false;
    Released done;
  };
  void Start();
  static Outcome Write(CacheStore& store, const CacheChanges& changes, const CacheRoom& room);
  void Carry(const Release& release, std::uint64_t cleared_bytes);
  void Finish(const Outcome& outcome);
  void TakeBack(const CacheChanges& failed);  // what has to be tried again
  void TellLost(std::vector<ContentHash> keys);
  void TellState(const std::string& why);
  bool HaveFiles(const std::vector<ContentHash>& files) const;
  CacheReadEnd EndOf(const Result<std::optional<std::string>>& value, const std::vector<ContentHash>& files) const;
  bool IsOpen(const ContentHash& key) const;  // a newer change of it waits
  const CachePut* FindPut(const ContentHash& key) const;
  void DropOpenPut(const ContentHash& key);

  CacheStore& store_;
  LoopInbox& inbox_;
  Callbacks callbacks_;
  CacheChanges open_;  // not begun
  std::size_t open_bytes_ = 0;
  std::vector<Work> work_;
  std::vector<Written> told_;
  std::vector<Release> releases_;
  std::shared_ptr<const CacheChanges> writing_;  // read by the cache's thread
  std::uint64_t batches_ = 0;
  std::int64_t clock_ms_ = 0;                    // of the last Pump
  std::optional<std::int64_t> paused_until_ms_;  // after an error of the disk
  std::string state_;
  IoThread thread_;  // last: its jobs use the others
};

}  // namespace icarus::broker
