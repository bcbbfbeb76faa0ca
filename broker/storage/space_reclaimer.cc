#include "broker/storage/space_reclaimer.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "broker/storage/key_schema.h"

namespace icarus::broker {
namespace {

// Between two looks at how much there is: what is deleted comes to the tables only with time.
constexpr std::chrono::seconds kPause(1);
constexpr std::chrono::seconds kPauseAfterError(60);
constexpr std::size_t kMostRuns = 256;  // beyond that the two nearest are joined

std::vector<KeyRange> RangesOf(std::uint64_t first, std::uint64_t last) {
  return {{JobRange(JobId(first)).first, JobRange(JobId(last)).last},
          {BodyRange(JobId(first)).first, BodyRange(JobId(last)).last}};
}

}  // namespace

struct SpaceReclaimer::Cancel {
  std::atomic<bool> asked{false};
};

SpaceReclaimer::SpaceReclaimer(rocksdb::DB& db, std::uint64_t threshold, StorageLog log)
    : db_(db), threshold_(threshold), log_(std::move(log)), cancel_(std::make_unique<Cancel>()), thread_([this] {
        Run();
      }) {}

SpaceReclaimer::~SpaceReclaimer() {
  cancel_->asked = true;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SpaceReclaimer::Deleted(JobId job) {
  {
    const std::lock_guard lock(mutex_);
    std::uint64_t first = job.value;
    std::uint64_t last = job.value;
    auto next = deleted_.lower_bound(first);
    if (next != deleted_.begin() && std::prev(next)->second + 1 >= first) {
      const auto before = std::prev(next);
      first = before->first;
      last = std::max(last, before->second);
      deleted_.erase(before);
    }
    if (next != deleted_.end() && next->first <= last + 1) {
      last = std::max(last, next->second);
      deleted_.erase(next);
    }
    deleted_[first] = last;
    if (deleted_.size() > kMostRuns) JoinNearest();
  }
  changed_.notify_one();
}

// The two runs with the fewest jobs between them: what lies there is compacted along.
void SpaceReclaimer::JoinNearest() {
  auto best = deleted_.begin();
  for (auto it = deleted_.begin(); std::next(it) != deleted_.end(); ++it) {
    const auto gap = [](Runs::iterator run) { return std::next(run)->first - run->second; };
    if (gap(it) < gap(best) || std::next(best) == deleted_.end()) best = it;
  }
  const auto next = std::next(best);
  best->second = next->second;
  deleted_.erase(next);
}

// Jobs first … last have been compacted; others of their runs may have been deleted since.
void SpaceReclaimer::Forget(std::uint64_t first, std::uint64_t last) {
  for (auto it = deleted_.begin(); it != deleted_.end();) {
    const auto [begin, end] = *it;
    if (end < first || begin > last) {
      ++it;
      continue;
    }
    it = deleted_.erase(it);
    if (begin < first) deleted_[begin] = first - 1;
    if (end > last) deleted_[last + 1] = end;
  }
}

void SpaceReclaimer::Run() {
  std::unique_lock lock(mutex_);
  std::chrono::seconds pause = kPause;
  while (!stopping_) {
    changed_.wait(lock, [this] { return stopping_ || !deleted_.empty(); });
    changed_.wait_for(lock, pause, [this] { return stopping_; });
    if (stopping_) return;
    const Runs runs = deleted_;
    lock.unlock();
    const bool enough = SizeOf(runs) >= threshold_;
    const bool done = enough && Compact(runs);
    pause = enough && !done ? kPauseAfterError : kPause;
    lock.lock();
    for (const auto& [first, last] : runs) {
      if (done) Forget(first, last);
    }
  }
}

std::uint64_t SpaceReclaimer::SizeOf(const Runs& runs) const {
  std::vector<KeyRange> keys;
  for (const auto& [first, last] : runs) {
    for (KeyRange& range : RangesOf(first, last)) keys.push_back(std::move(range));
  }
  std::vector<rocksdb::Range> ranges;
  for (const KeyRange& range : keys) ranges.emplace_back(range.first, range.last);
  std::vector<std::uint64_t> sizes(ranges.size());
  db_.GetApproximateSizes(ranges.data(), static_cast<int>(ranges.size()), sizes.data());
  std::uint64_t sum = 0;
  for (const std::uint64_t size : sizes) sum += size;
  return sum;
}

// False: not all of it, to be tried again.
bool SpaceReclaimer::Compact(const Runs& runs) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &cancel_->asked;
  for (const auto& [first, last] : runs) {
    for (const KeyRange& range : RangesOf(first, last)) {
      const rocksdb::Slice begin(range.first);
      const rocksdb::Slice end(range.last);
      const rocksdb::Status status = db_.CompactRange(options, &begin, &end);
      if (cancel_->asked) return false;
      if (status.ok()) continue;
      if (log_) log_("the space of deleted jobs cannot be given back yet: " + status.ToString());
      return false;
    }
  }
  return true;
}

}  // namespace icarus::broker
