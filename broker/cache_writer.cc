#include "broker/cache_writer.h"

#include <algorithm>
#include <utility>

#include "broker/resident_memory.h"
#include "common/base/check.h"
#include "common/base/crash_point.h"

namespace icarus::broker {
namespace {

constexpr std::int64_t kPauseMs = 10'000;
constexpr std::size_t kMostOpenPuts = 20'000;
constexpr std::size_t kMostOpenBytes = 64u << 20;
constexpr std::size_t kMostWork = 1024;

std::vector<ContentHash> KeysOf(const CacheChanges& changes) {
  std::vector<ContentHash> keys;
  for (const auto& [key, put] : changes.puts) keys.push_back(key);
  return keys;
}

}  // namespace

CacheWriter::CacheWriter(CacheStore& store, LoopInbox& inbox, Callbacks callbacks)
    : store_(store), inbox_(inbox), callbacks_(std::move(callbacks)), thread_({4096, 256u << 20}, {2, 1}) {}

// --- what is decided ------------------------------------------------------------------------------------------------

bool CacheWriter::IsOpen(const ContentHash& key) const {
  return open_.puts.contains(key) || open_.removals.contains(key) || open_.clear;
}

void CacheWriter::DropOpenPut(const ContentHash& key) {
  const auto found = open_.puts.find(key);
  if (found == open_.puts.end()) return;
  open_bytes_ -= found->second.body->size();
  open_.puts.erase(found);
}

void CacheWriter::Put(const ContentHash& key, CachePut put, bool replaces) {
  const std::size_t bytes = put.body->size();
  DropOpenPut(key);
  const bool fits = open_.puts.empty() || (open_.puts.size() < kMostOpenPuts && open_bytes_ + bytes <= kMostOpenBytes);
  if (paused_until_ms_ || !fits) {
    if (replaces) Remove({key});
    return TellLost({key});
  }
  open_.uses.erase(key);
  open_.removals.erase(key);
  open_bytes_ += bytes;
  open_.puts.emplace(key, std::move(put));
}

void CacheWriter::Remove(const std::vector<ContentHash>& keys) {
  for (const ContentHash& key : keys) {
    DropOpenPut(key);
    open_.uses.erase(key);
    open_.removals.insert(key);
  }
}

void CacheWriter::Use(const ContentHash& key, std::uint64_t last_used) {
  if (const auto put = open_.puts.find(key); put != open_.puts.end()) {
    put->second.entry.last_used = last_used;
  } else if (!open_.removals.contains(key)) {
    open_.uses[key] = last_used;
  }
}

void CacheWriter::Clear() {
  open_ = {};
  open_.clear = true;
  open_bytes_ = 0;
  paused_until_ms_.reset();
}

void CacheWriter::ReleaseMemory(bool caches, Released done) { releases_.push_back({caches, std::move(done)}); }

void CacheWriter::AfterWriting(Written done) { told_.push_back(std::move(done)); }

bool CacheWriter::Post(Work work) {
  if (work_.size() >= kMostWork) return false;
  work_.push_back(std::move(work));
  return true;
}

// --- what is written ------------------------------------------------------------------------------------------------

void CacheWriter::Pump(std::int64_t clock_ms) {
  clock_ms_ = clock_ms;
  if (writing_) return;
  if (paused_until_ms_ && *paused_until_ms_ <= clock_ms) paused_until_ms_.reset();
  const bool can_write = !open_.empty() && !paused_until_ms_;
  if (can_write || !work_.empty() || !told_.empty() || !releases_.empty()) Start();
}

void CacheWriter::Start() {
  auto changes = std::make_shared<CacheChanges>();
  std::optional<Error> untried;  // what is open waits for the end of the pause
  if (!paused_until_ms_) {
    *changes = std::exchange(open_, {});
    open_bytes_ = 0;
  } else if (!open_.empty()) {
    untried = Error{ErrorCode::kOverloaded, state_, {}, 10.0};
  }
  writing_ = changes;
  ++batches_;
  auto job = [this, changes, untried, work = std::exchange(work_, {}), told = std::exchange(told_, {}),
              releases = std::exchange(releases_, {}), room = callbacks_.room()]() mutable {
    Outcome outcome = Write(store_, *changes, room);
    for (Work& one : work) one(store_);
    changes.reset();
    for (const Release& release : releases) Carry(release, outcome.cleared_bytes);
    inbox_.Post([this, outcome = std::move(outcome), untried, told = std::move(told)] {
      Finish(outcome);
      for (const Written& one : told) one(untried ? Status(*untried) : outcome.status);
    });
  };
  ICARUS_CHECK(thread_.TryPost(Lane::kBackground, std::move(job)));  // there is one at a time
}

CacheWriter::Outcome CacheWriter::Write(CacheStore& store, const CacheChanges& changes, const CacheRoom& room) {
  if (changes.empty()) return {};
  if (!changes.puts.empty()) CrashPoint("cache.put");
  const std::uint64_t before = changes.clear ? store.DiskBytes() : 0;
  const Result<CacheWritten> written = store.Write(changes, room);
  if (!changes.puts.empty()) CrashPoint("cache.stored");
  if (!written) return {written.error()};
  const std::uint64_t cleared = before - std::min(before, changes.clear ? store.DiskBytes() : 0);
  return {{}, *written == CacheWritten::kWithoutPuts, cleared};
}

// What the store gives back is the process's, and the machine's only when the process gives it back too.
void CacheWriter::Carry(const Release& release, std::uint64_t cleared_bytes) {
  const std::uint64_t before = ResidentBytes().value_or(0);
  CacheReleased released;
  if (release.caches) released = store_.ReleaseMemory();
  TrimHeap();
  const std::uint64_t given_back = before - std::min(before, ResidentBytes().value_or(before));
  released.bytes = release.caches ? std::min(released.bytes, given_back) : given_back;
  released.bytes += cleared_bytes;
  inbox_.Post([released, done = release.done] { done(released); });
}

void CacheWriter::Finish(const Outcome& outcome) {
  const std::shared_ptr<const CacheChanges> done = std::exchange(writing_, nullptr);
  if (!outcome.status) {
    paused_until_ms_ = clock_ms_ + kPauseMs;
    TakeBack(*done);
    TellState(outcome.status.error().message);
  } else if (outcome.without_puts) {
    TellLost(KeysOf(*done));
    TellState("the cache takes more than twice its limit on the disk, and space has to be given back first");
  } else if (!done->puts.empty() || done->clear) {
    TellState("");
  }
}

// Changes that may not have been made: the removals are made later, and a put is one too, for part of it may be there.
void CacheWriter::TakeBack(const CacheChanges& failed) {
  std::vector<ContentHash> lost;
  for (const auto& [key, put] : failed.puts) {
    if (IsOpen(key)) continue;
    open_.uses.erase(key);
    open_.removals.insert(key);
    lost.push_back(key);
  }
  for (const ContentHash& key : failed.removals) {
    if (!IsOpen(key)) open_.removals.insert(key);
  }
  for (const auto& [key, last_used] : failed.uses) {
    if (!IsOpen(key)) open_.uses.emplace(key, last_used);
  }
  open_.clear = open_.clear || failed.clear;
  TellLost(std::move(lost));
}

void CacheWriter::TellLost(std::vector<ContentHash> keys) {
  if (keys.empty()) return;
  inbox_.Post([this, keys = std::move(keys)] { callbacks_.on_puts_lost(keys); });
}

void CacheWriter::TellState(const std::string& why) {
  if (std::exchange(state_, why) == why) return;
  inbox_.Post([this, why] { callbacks_.on_state(why); });
}

// --- reading --------------------------------------------------------------------------------------------------------

const CachePut* CacheWriter::FindPut(const ContentHash& key) const {
  if (const auto found = open_.puts.find(key); found != open_.puts.end()) return &found->second;
  if (!writing_ || IsOpen(key)) return nullptr;
  const auto found = writing_->puts.find(key);
  return found == writing_->puts.end() ? nullptr : &found->second;
}

bool CacheWriter::HaveFiles(const std::vector<ContentHash>& files) const {
  return std::all_of(files.begin(), files.end(), callbacks_.name_file);
}

CacheReadEnd CacheWriter::EndOf(const Result<std::optional<std::string>>& value,
                                const std::vector<ContentHash>& files) const {
  if (!value) return value.error().code == ErrorCode::kCorruption ? CacheReadEnd::kDamaged : CacheReadEnd::kFailed;
  if (!*value) return CacheReadEnd::kGone;
  return HaveFiles(files) ? CacheReadEnd::kFound : CacheReadEnd::kDamaged;
}

void CacheWriter::Read(const ContentHash& key, const std::vector<ContentHash>& files) {
  if (const CachePut* put = FindPut(key)) {
    const CacheReadEnd end = HaveFiles(files) ? CacheReadEnd::kFound : CacheReadEnd::kDamaged;
    inbox_.Post([this, key, end, body = end == CacheReadEnd::kFound ? put->body : nullptr] {
      callbacks_.on_read(key, end, body);
    });
    return;
  }
  auto job = [this, key, files] {
    auto value = store_.Get(key);
    const CacheReadEnd end = EndOf(value, files);
    Body body = end == CacheReadEnd::kFound ? std::make_shared<const std::string>(std::move(**value)) : nullptr;
    inbox_.Post([this, key, end, body] { callbacks_.on_read(key, end, body); });
  };
  // The core bounds the reads in flight below this queue's limit. A value that cannot be asked for must not count as
  // gone: it would be removed.
  if (!thread_.TryPost(Lane::kUrgent, job)) inbox_.Post([this, key, files] { Read(key, files); });
}

}  // namespace icarus::broker
