#include "broker/file_sweeper.h"

#include <algorithm>

#include "common/base/clock.h"
#include "common/base/logging.h"

namespace icarus::broker {
namespace {

constexpr std::int64_t kSweepPeriodMs = 6 * 3'600'000ll;  // without a change: what was only offered grows old
constexpr std::int64_t kIdlePerSweep = 50;                // a sweep waits so many times as long as the last one took
constexpr std::int64_t kNsPerMs = 1'000'000;

Result<SweptFiles> BusyCopying() { return Error::Make(ErrorCode::kOverloaded, "the files are being copied"); }

}  // namespace

FileSweeper::FileSweeper(const BlobStore& files, const RocksDbJobStore& jobs, CacheStore& cache, LoopInbox& inbox,
                         std::mutex& copying, SweepTimes times)
    : files_(files),
      jobs_(jobs),
      cache_(cache),
      inbox_(inbox),
      copying_(copying),
      times_(times),
      thread_({1, 1}, {1, 1}) {}

void FileSweeper::Pump(const Progress& progress, std::int64_t clock_ms) {
  if (clock_ms_ == 0) due_ms_ = earliest_ms_ = clock_ms + times_.after_start_ms;  // what the last broker left
  clock_ms_ = clock_ms;
  if (sweeping_) return;
  if (progress.changes != swept_changes_) {
    due_ms_ = std::min(due_ms_, std::max(clock_ms + times_.after_change_ms, earliest_ms_));
  }
  if (clock_ms < due_ms_) return;
  if (!awaited_) awaited_ = progress.decided;
  if (progress.durable < *awaited_) return;
  swept_changes_ = progress.changes;
  awaited_.reset();
  Start();
}

void FileSweeper::Start() {
  sweeping_ = thread_.TryPost(Lane::kBackground, [this] {
    const std::int64_t begin = ReadClocks().monotonic_ms();
    auto swept = Sweep();
    const std::int64_t took_ms = ReadClocks().monotonic_ms() - begin;
    inbox_.Post([this, swept = std::move(swept), took_ms] { Finish(swept, took_ms); });
  });
}

Result<SweptFiles> FileSweeper::Sweep() const {
  const std::unique_lock lock(copying_, std::try_to_lock);
  if (!lock) return BusyCopying();
  const std::int64_t now_ms = ReadClocks().wall_ms;
  const SweepAges ages{(now_ms - times_.offered_for_ms) * kNsPerMs, (now_ms - times_.named_for_ms) * kNsPerMs};
  return SweepFiles(files_, ages, [this](const auto& visit) -> Status {
    ICARUS_TRY(cache_.Scan(std::nullopt, [&](const ContentHash&, const CacheEntry& entry) {
      for (const ContentHash& file : entry.blobs.value_or(std::vector<ContentHash>())) visit(file);
      return true;
    }));
    return jobs_.VisitNamedFiles(visit);
  });
}

void FileSweeper::Finish(const Result<SweptFiles>& swept, std::int64_t took_ms) {
  sweeping_ = false;
  earliest_ms_ = clock_ms_ + std::max(times_.after_change_ms, kIdlePerSweep * took_ms);
  const bool again = !swept || swept->young > 0;
  due_ms_ = again ? earliest_ms_ + times_.after_change_ms : clock_ms_ + kSweepPeriodMs;
  if (!swept) {
    LogWarning("files that nobody needs stay for now: " + swept.error().message);
  } else if (swept->removed > 0) {
    LogInfo("files that nobody needs are removed", {{"files", swept->removed}, {"bytes", swept->bytes}});
  }
}

}  // namespace icarus::broker
