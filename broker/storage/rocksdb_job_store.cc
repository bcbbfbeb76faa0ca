#include "broker/storage/rocksdb_job_store.h"

#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "broker/storage/disk_reserve.h"
#include "broker/storage/disk_space.h"
#include "broker/storage/file_io.h"
#include "broker/storage/high_water.h"
#include "broker/storage/job_batch.h"
#include "broker/storage/job_store_database.h"
#include "broker/storage/job_store_reader.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/load_relay.h"
#include "broker/storage/named_files.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/space_reclaimer.h"
#include "broker/storage/store_check.h"
#include "broker/storage/store_lock.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/text.h"

namespace icarus::broker {

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

namespace {

// The log as it was found stays beside the one that is cut off: what was being written may still be of interest.
Status KeepTornLog(const StoreCheck& check, const StorageLog& log) {
  const std::string copy = check.torn_log + ".torn-" + FormatUtc(ReadClocks().wall_ms);
  ICARUS_TRY(CopyFile(check.torn_log, copy));
  if (log) {
    log(check.torn_what +
        ": it was being written when the machine stopped, and was never acknowledged; the store goes on without it, a "
        "copy is kept as " +
        copy);
  }
  return {};
}

std::uint64_t LastJobOf(const RecordBatch& batch) {
  std::uint64_t last = 0;
  for (const Record& record : batch.records) {
    if (const auto* put = std::get_if<PutJob>(&record)) last = std::max(last, put->job.job.value);
  }
  return last;
}

std::optional<CacheCounters> CountersOf(const RecordBatch& batch, std::optional<CacheCounters> before) {
  for (const Record& record : batch.records) {
    if (const auto* put = std::get_if<PutCacheCounters>(&record)) before = put->counters;
  }
  return before;
}

// Before RocksDB opens a store it is known to be whole; opening would change what can still be found out.
Result<StoreCheck> CheckBeforeOpening(const std::string& dir, const JobStoreOptions& options) {
  const std::string& home = options.home.empty() ? dir : options.home;
  ICARUS_ASSIGN(const StoreLock lock, StoreLock::Take(dir, home));
  ICARUS_ASSIGN(StoreCheck check, CheckStoreFiles(dir, home));
  if (!check.torn_log.empty()) ICARUS_TRY(KeepTornLog(check, options.log));
  if (!check.mark && !check.is_new && options.log) {
    options.log(HighWaterPath(dir) +
                " is missing or cannot be read: whether the store ends where it should is not known");
  }
  return check;
}

}  // namespace

struct RocksDbJobStore::Impl {
  std::string dir;
  std::uint64_t min_free_bytes = 0;
  std::unique_ptr<DiskReserve> reserve;
  std::shared_ptr<FatalErrorListener> listener;
  std::unique_ptr<rocksdb::DB> db;
  std::unique_ptr<SpaceReclaimer> reclaimer;
  std::optional<HighWater> high_water;
  StoreMeta meta;
  std::uint64_t committed = 0;            // sequence of the last batch; the commit thread's
  std::uint64_t last_job = 0;             // the highest id in any batch; the commit thread's
  std::optional<CacheCounters> counters;  // as last written; the commit thread's
  bool needs_new_log = false;             // the last write found the disk full; the commit thread's
  bool compacts = false;                  // not before everything has been read, which wants the machine for itself

  static Result<std::unique_ptr<Impl>> Open(const std::string& dir, const JobStoreOptions& options);
  Status Write(const RecordBatch& batch);
  Status CheckCanWrite() const;
  Status BeginCompacting();
  rocksdb::Status SwitchLog();
};

RocksDbJobStore::RocksDbJobStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbJobStore::~RocksDbJobStore() = default;

const StoreMeta& RocksDbJobStore::meta() const { return impl_->meta; }

Result<std::unique_ptr<RocksDbJobStore>> RocksDbJobStore::Open(const std::string& dir, const JobStoreOptions& options) {
  ICARUS_TRY(MakePrivateDirectory(dir));
  Result<std::unique_ptr<Impl>> impl = Impl::Open(dir, options);
  if (!impl) return WithAdvice(dir, impl.error());
  return std::unique_ptr<RocksDbJobStore>(new RocksDbJobStore(std::move(*impl)));
}

Result<std::unique_ptr<RocksDbJobStore::Impl>> RocksDbJobStore::Impl::Open(const std::string& dir,
                                                                           const JobStoreOptions& options) {
  ICARUS_ASSIGN(const StoreCheck check, CheckBeforeOpening(dir, options));
  auto impl = std::make_unique<Impl>();
  impl->dir = dir;
  impl->min_free_bytes = options.min_free_bytes;
  impl->reserve = std::make_unique<DiskReserve>(dir, options.reserve_bytes, options.min_free_bytes);
  impl->listener = std::make_shared<FatalErrorListener>();
  rocksdb::Options db_options = JobStoreDbOptions(options.log);
  db_options.listeners.push_back(impl->listener);
  db_options.disable_auto_compactions = true;
  if (!check.torn_log.empty()) db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(db_options, dir, &db);
  impl->db.reset(db);
  if (!opened.ok()) return OpenFailure(dir, options.home, opened);
  CrashPoint("store.opened");
  impl->reclaimer = std::make_unique<SpaceReclaimer>(*impl->db, options.reclaim_bytes, options.log);

  ICARUS_ASSIGN(impl->meta, ReadMeta(*impl->db, dir));
  if (!check.is_new && impl->meta.sequence != check.reached.sequence) {
    return Error::Make(ErrorCode::kCorruption, "it ends at batch " + std::to_string(impl->meta.sequence) +
                                                   ", but its files hold " + std::to_string(check.reached.sequence));
  }
  ICARUS_ASSIGN(impl->high_water, HighWater::Open(HighWaterPath(dir)));
  ++impl->meta.epoch;
  impl->meta.schema = kStoreSchema;
  impl->committed = impl->meta.sequence;
  impl->last_job = impl->meta.last_job;
  impl->counters = impl->meta.cache;
  ICARUS_TRY(impl->Write(RecordBatch{impl->meta.sequence, impl->meta.clock_ms, {}}));
  return impl;
}

Status RocksDbJobStore::Impl::BeginCompacting() {
  if (std::exchange(compacts, true)) return {};
  const rocksdb::Status status = db->EnableAutoCompaction({db->DefaultColumnFamily()});
  if (!status.ok()) return RocksError("cannot go on with the job store in " + dir, status);
  return {};
}

Status RocksDbJobStore::Commit(const RecordBatch& batch) {
  ICARUS_CHECK(batch.sequence == impl_->committed + 1);
  ICARUS_TRY(impl_->BeginCompacting());
  ICARUS_TRY(impl_->Write(batch));
  impl_->committed = batch.sequence;
  return {};
}

Status RocksDbJobStore::Impl::CheckCanWrite() const {
  if (const rocksdb::Status fatal = listener->first(); !fatal.ok()) {
    return IoError("the job store in " + dir + " failed in the background: " + fatal.ToString());
  }
  reserve->Review();
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
  unchanged.cache = counters;
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
  now.cache = CountersOf(batch, counters);
  rocksdb::WriteBatch writes(0, 0, kProtectionBytes, 0);
  rocksdb::Status status = FillBatch(batch, now, writes);
  if (status.ok() && needs_new_log) status = SwitchLog();
  rocksdb::WriteOptions options;
  options.sync = true;
  if (status.ok()) status = db->Write(options, &writes);
  needs_new_log = IsNoSpace(status);
  if (!status.ok()) return RocksError("cannot write to the job store in " + dir, status);
  CrashPoint("store.written");
  last_job = now.last_job;
  counters = now.cache;
  for (const Record& record : batch.records) {
    if (const auto* gone = std::get_if<DeleteJob>(&record)) reclaimer->Deleted(gone->job);
  }
  return high_water->Write({meta.lineage, meta.epoch, batch.sequence});
}

Status RocksDbJobStore::Load(const StoreVisitor& visitor) {
  const Status loaded = ReadAhead(visitor, [this](const StoreVisitor& told) { return LoadRecords(*impl_->db, told); });
  if (!loaded) return WithAdvice(impl_->dir, loaded.error());
  return impl_->BeginCompacting();
}

Result<std::vector<std::optional<StoredTask>>> RocksDbJobStore::ReadTasks(JobId job,
                                                                          const std::vector<TaskIndex>& indices,
                                                                          bool bodies) {
  return ReadTaskRecords(*impl_->db, job, indices, bodies);
}

Result<std::vector<Event>> RocksDbJobStore::ReadEvents(std::uint64_t after, std::size_t limit) {
  return ReadEventRecords(*impl_->db, after, limit);
}

Status RocksDbJobStore::VisitNamedFiles(const std::function<void(const ContentHash&)>& visit) const {
  return broker::VisitNamedFiles(*impl_->db, visit);
}

Result<BackupNote> RocksDbJobStore::BackUp(const std::string& blobs_dir, const std::string& target) {
  return BackUpOpenStore(*impl_->db, blobs_dir, target);
}

std::string RocksDbJobStore::ReviewSpace() {
  impl_->reserve->Review();
  if (impl_->reserve->held()) return {};
  const Result<DiskSpace> space = ReadDiskSpace(impl_->dir);
  return "the disk of " + impl_->dir + " is nearly full (" + FormatSize(space ? space->free_bytes : 0) +
         " free): the rest is kept for results; make room";
}

}  // namespace icarus::broker
