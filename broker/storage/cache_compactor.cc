#include "broker/storage/cache_compactor.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/transaction_log.h>

#include <atomic>
#include <chrono>
#include <utility>

namespace icarus::broker {
namespace {

using std::chrono::seconds;

constexpr seconds kLook(1);  // between two looks
constexpr seconds kRest(2);  // nothing was written for so long
constexpr seconds kPauseAfterError(60);
constexpr std::uint64_t kSlack = 8u << 20;      // what is not worth a compaction
constexpr std::uint64_t kOverhead = 64u << 20;  // beyond the limit, in tables and logs

}  // namespace

rocksdb::Status CompactAll(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                           std::atomic<bool>* cancelled) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1.0;
  options.canceled = cancelled;
  rocksdb::Status status;
  for (rocksdb::ColumnFamilyHandle* family : families) {
    if (status.ok()) status = db.Flush(rocksdb::FlushOptions(), family);
    if (status.ok()) status = db.CompactRange(options, family, nullptr, nullptr);
  }
  return status;
}

struct CacheCompactor::Cancel {
  std::atomic<bool> asked{false};
};

CacheCompactor::CacheCompactor(rocksdb::DB& db, std::vector<rocksdb::ColumnFamilyHandle*> families, StorageLog log)
    : db_(db),
      families_(std::move(families)),
      log_(std::move(log)),
      cancel_(std::make_unique<Cancel>()),
      thread_([this] { Run(); }) {}

CacheCompactor::~CacheCompactor() {
  cancel_->asked = true;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::uint64_t CacheCompactor::DiskBytes() const {
  std::uint64_t sum = 0;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    for (const std::string* property :
         {&rocksdb::DB::Properties::kTotalSstFilesSize, &rocksdb::DB::Properties::kTotalBlobFileSize}) {
      std::uint64_t bytes = 0;
      if (db_.GetIntProperty(family, *property, &bytes)) sum += bytes;
    }
  }
  return sum;
}

std::uint64_t CacheCompactor::LogBytes() const {
  rocksdb::VectorLogPtr files;
  std::uint64_t sum = 0;
  if (!db_.GetSortedWalFiles(files).ok()) return 0;
  for (const auto& file : files) sum += file->SizeFileBytes();
  return sum;
}

bool CacheCompactor::HasRoom(const CacheRoom& room) {
  if (DiskBytes() <= 2 * room.max_bytes + kOverhead) return true;
  Written(room);
  return false;
}

void CacheCompactor::Written(const CacheRoom& room) {
  {
    const std::lock_guard lock(mutex_);
    room_ = room;
    written_ = true;
    last_write_ = Clock::now();
  }
  changed_.notify_one();
}

bool CacheCompactor::IsDue() {
  const Clock::time_point now = Clock::now();
  if (!written_ || now < not_before_) return false;
  const std::uint64_t bytes = DiskBytes() + LogBytes();
  if (bytes > room_.max_bytes + room_.max_bytes / 2 + kOverhead) return true;
  return now - last_write_ >= kRest && bytes > room_.live_bytes + room_.live_bytes / 4 + kSlack;
}

void CacheCompactor::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return stopping_ || written_; });
    changed_.wait_for(lock, kLook, [this] { return stopping_; });
    if (stopping_) return;
    const bool at_rest = Clock::now() - last_write_ >= kRest;
    const bool due = IsDue();
    if (due || (at_rest && Clock::now() >= not_before_)) written_ = false;
    if (!due) continue;
    lock.unlock();
    const rocksdb::Status status = CompactAll(db_, families_, &cancel_->asked);
    lock.lock();
    if (status.ok() || stopping_) continue;
    written_ = true;
    not_before_ = Clock::now() + kPauseAfterError;
    if (log_) log_("the space of removed values cannot be given back yet: " + status.ToString());
  }
}

}  // namespace icarus::broker
