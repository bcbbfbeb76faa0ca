#include "broker/storage/rocksdb_job_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <mutex>
#include <utility>

#include "broker/storage/disk_space.h"
#include "broker/storage/file_io.h"
#include "broker/storage/high_water.h"
#include "broker/storage/job_batch.h"
#include "broker/storage/job_store_reader.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "common/base/check.h"
#include "common/base/random.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProtectionBytes = 8;  // a checksum a key from the batch to the memtable
constexpr std::size_t kLineageBytes = 16;

// Remembers the first background error that is not a full disk. RocksDB may go on after some of them; this store does
// not.
class FatalErrorListener : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (error->ok() || IsNoSpace(*error)) return;
    const std::lock_guard lock(mutex_);
    if (first_.ok()) first_ = *error;
  }
  rocksdb::Status first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  mutable std::mutex mutex_;
  rocksdb::Status first_;
};

rocksdb::Options JobStoreDbOptions(const JobStoreOptions& ours, std::shared_ptr<rocksdb::EventListener> listener) {
  rocksdb::Options options;
  SetCommonOptions(options, MakeRocksLogger("job store", ours.log));
  options.listeners.push_back(std::move(listener));
  // The other modes open "OK" with less than was synced after damage in the middle of the log.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.write_buffer_size = 8u << 20;  // what must be free for RocksDB to resume after a full disk
  options.max_write_buffer_number = 4;
  options.max_total_wal_size = 64u << 20;
  options.max_background_jobs = 3;
  options.paranoid_file_checks = true;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  // Dispatch records die soon after they were written: files full of their tombstones are compacted without waiting.
  options.table_properties_collector_factories.push_back(rocksdb::NewCompactOnDeletionCollectorFactory(4096, 2048));
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16u << 20);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Error Damaged(const std::string& dir, const std::string& what) {
  return Error::Make(ErrorCode::kCorruption, "the job store in " + dir + " is damaged: " + what +
                                                 "; keep a copy of that directory, then restore a backup");
}

// RocksDB would make a new, empty database where the file that leads to the old one is gone.
Status CheckNotHeadless(const std::string& dir) {
  std::error_code error;
  if (fs::exists(fs::path(dir) / "CURRENT", error)) return {};
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    const std::string extension = it->path().extension();
    if (extension == ".sst" || extension == ".log") return Damaged(dir, "its file CURRENT is missing");
  }
  if (error) return IoError("cannot read " + dir + ": " + error.message());
  return {};
}

Error OpenError(const std::string& dir, const JobStoreOptions& options, const rocksdb::Status& status) {
  if (IsLockHeld(status)) {
    return Error::Make(ErrorCode::kRefused,
                       "home " + (options.home.empty() ? dir : options.home) + " is already served by another broker");
  }
  if (status.IsCorruption()) return Damaged(dir, status.ToString());
  return RocksError("cannot open the job store in " + dir, status);
}

// The one record without which nothing else is read. A store that has none is new, or it is no store of ours.
Result<StoreMeta> ReadMeta(rocksdb::DB& db, const std::string& dir) {
  std::string stored;
  const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), MetaKey(), &stored);
  if (status.IsNotFound()) {
    const std::unique_ptr<rocksdb::Iterator> any(db.NewIterator(rocksdb::ReadOptions()));
    any->SeekToFirst();
    if (any->Valid()) return Damaged(dir, "the store's description is missing");
    if (!any->status().ok()) return Damaged(dir, any->status().ToString());
    StoreMeta fresh;
    fresh.lineage = RandomHex(kLineageBytes);
    return fresh;
  }
  if (!status.ok()) return Damaged(dir, status.ToString());
  Result<StoreMeta> meta = DecodeRecord<StoreMeta>(MetaKey(), stored);
  if (!meta) return Damaged(dir, "the store's description cannot be read: " + meta.error().message);
  if (meta->schema != kStoreSchema) {
    return Error::Make(ErrorCode::kRefused, "the job store in " + dir + " has schema " + std::to_string(meta->schema) +
                                                ", this broker reads schema " + std::to_string(kStoreSchema) +
                                                "; use the release that wrote it");
  }
  return meta;
}

std::uint64_t LastJobOf(const RecordBatch& batch) {
  std::uint64_t last = 0;
  for (const Record& record : batch.records) {
    if (const auto* put = std::get_if<PutJob>(&record)) last = std::max(last, put->job.job.value);
  }
  return last;
}

Status CheckHighWater(const std::string& dir, const std::string& mark_path, const StoreMeta& meta) {
  ICARUS_ASSIGN(const std::optional<StorePosition> mark, HighWater::Read(mark_path));
  const bool is_new = meta.epoch == 0;
  if (!mark || (!is_new && mark->lineage != meta.lineage)) return {};
  if (meta.epoch >= mark->epoch && meta.sequence >= mark->sequence) return {};
  return Damaged(dir, "it ends at batch " + std::to_string(meta.sequence) + " (start " + std::to_string(meta.epoch) +
                          "), but batch " + std::to_string(mark->sequence) + " (start " + std::to_string(mark->epoch) +
                          ") was on disk and acknowledged");
}

}  // namespace

struct RocksDbJobStore::Impl {
  std::string dir;
  std::uint64_t min_free_bytes = 0;
  std::shared_ptr<FatalErrorListener> listener;
  std::unique_ptr<rocksdb::DB> db;
  std::optional<HighWater> high_water;
  StoreMeta meta;
  std::uint64_t committed = 0;  // sequence of the last batch; the commit thread's
  std::uint64_t last_job = 0;   // the highest id in any batch; the commit thread's
  bool needs_new_log = false;   // the last write found the disk full; the commit thread's

  Status Write(const RecordBatch& batch);
  Status CheckCanWrite() const;
  rocksdb::Status SwitchLog();
};

RocksDbJobStore::RocksDbJobStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbJobStore::~RocksDbJobStore() = default;

const StoreMeta& RocksDbJobStore::meta() const { return impl_->meta; }

Result<std::unique_ptr<RocksDbJobStore>> RocksDbJobStore::Open(const std::string& dir, const JobStoreOptions& options) {
  ICARUS_TRY(MakePrivateDirectory(dir));
  ICARUS_TRY(CheckNotHeadless(dir));
  auto impl = std::make_unique<Impl>();
  impl->dir = dir;
  impl->min_free_bytes = options.min_free_bytes;
  impl->listener = std::make_shared<FatalErrorListener>();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(JobStoreDbOptions(options, impl->listener), dir, &db);
  impl->db.reset(db);
  if (!opened.ok()) return OpenError(dir, options, opened);

  ICARUS_ASSIGN(impl->meta, ReadMeta(*impl->db, dir));
  const std::string mark_path = (fs::path(dir) / "highwater").string();
  ICARUS_TRY(CheckHighWater(dir, mark_path, impl->meta));
  ICARUS_ASSIGN(impl->high_water, HighWater::Open(mark_path));
  ++impl->meta.epoch;
  impl->committed = impl->meta.sequence;
  impl->last_job = impl->meta.last_job;
  ICARUS_TRY(impl->Write(RecordBatch{impl->meta.sequence, impl->meta.clock_ms, {}}));
  return std::unique_ptr<RocksDbJobStore>(new RocksDbJobStore(std::move(impl)));
}

Status RocksDbJobStore::Commit(const RecordBatch& batch) {
  ICARUS_CHECK(batch.sequence == impl_->committed + 1);
  ICARUS_TRY(impl_->Write(batch));
  impl_->committed = batch.sequence;
  return {};
}

Status RocksDbJobStore::Impl::CheckCanWrite() const {
  if (const rocksdb::Status fatal = listener->first(); !fatal.ok()) {
    return IoError("the job store in " + dir + " failed in the background: " + fatal.ToString());
  }
  const Result<DiskSpace> space = ReadDiskSpace(dir);
  if (!space || space->free_bytes >= min_free_bytes) return {};
  return Error{ErrorCode::kOverloaded,
               "only " + FormatSize(space->free_bytes) + " are free where the job store lies (" + dir + "), and " +
                   FormatSize(min_free_bytes) + " are needed to write to it",
               {},
               1.0};
}

// After a full disk RocksDB refuses every write until it has resumed by itself. It may then go on with the very log
// file whose last append failed, and this release aborts the process when it appends there again. A flush begins a new
// log, if there is something to flush: the store's description as it is, which needs no log. Where the old log cannot
// be left, that is an error, and the process ends in good order.
rocksdb::Status RocksDbJobStore::Impl::SwitchLog() {
  StoreMeta unchanged = meta;
  unchanged.sequence = committed;
  unchanged.last_job = last_job;
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const rocksdb::Status status = db->Put(options, MetaKey(), EncodeRecord(MetaKey(), unchanged));
  return status.ok() ? db->Flush(rocksdb::FlushOptions()) : status;
}

Status RocksDbJobStore::Impl::Write(const RecordBatch& batch) {
  ICARUS_TRY(CheckCanWrite());
  StoreMeta now = meta;
  now.sequence = batch.sequence;
  now.clock_ms = batch.clock_ms;
  now.last_job = std::max(last_job, LastJobOf(batch));
  rocksdb::WriteBatch writes(0, 0, kProtectionBytes, 0);
  rocksdb::Status status = FillBatch(batch, now, writes);
  if (status.ok() && needs_new_log) status = SwitchLog();
  rocksdb::WriteOptions options;
  options.sync = true;
  if (status.ok()) status = db->Write(options, &writes);
  needs_new_log = IsNoSpace(status);
  if (!status.ok()) return RocksError("cannot write to the job store in " + dir, status);
  last_job = now.last_job;
  return high_water->Write({meta.lineage, meta.epoch, batch.sequence});
}

Status RocksDbJobStore::Load(const StoreVisitor& visitor) {
  const Status loaded = LoadRecords(*impl_->db, visitor);
  if (!loaded && loaded.error().code == ErrorCode::kCorruption) return Damaged(impl_->dir, loaded.error().message);
  return loaded;
}

Result<std::vector<std::optional<StoredTask>>> RocksDbJobStore::ReadTasks(JobId job,
                                                                          const std::vector<TaskIndex>& indices,
                                                                          bool bodies) {
  return ReadTaskRecords(*impl_->db, job, indices, bodies);
}

}  // namespace icarus::broker
