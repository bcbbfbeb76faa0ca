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
constexpr std::size_t kMostRuns = 256;  // beyond that all are taken for one

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
    if (deleted_.size() > kMostRuns) deleted_ = {{deleted_.begin()->first, deleted_.rbegin()->second}};
  }
  changed_.notify_one();
}

void SpaceReclaimer::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return stopping_ || !deleted_.empty(); });
    changed_.wait_for(lock, kPause, [this] { return stopping_; });
    if (stopping_) return;
    const Runs runs = deleted_;
    lock.unlock();
    const bool enough = SizeOf(runs) >= threshold_;
    if (enough) Compact(runs);
    lock.lock();
    if (enough) {
      for (const auto& [first, last] : runs) {
        if (const auto same = deleted_.find(first); same != deleted_.end() && same->second == last)
          deleted_.erase(same);
      }
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

void SpaceReclaimer::Compact(const Runs& runs) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &cancel_->asked;
  for (const auto& [first, last] : runs) {
    for (const KeyRange& range : RangesOf(first, last)) {
      const rocksdb::Slice begin(range.first);
      const rocksdb::Slice end(range.last);
      const rocksdb::Status status = db_.CompactRange(options, &begin, &end);
      if (cancel_->asked) return;
      if (!status.ok() && log_) log_("the space of deleted jobs cannot be given back yet: " + status.ToString());
    }
  }
}

}  // namespace icarus::broker
