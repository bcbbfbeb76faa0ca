#include "broker/storage/store_salvage.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "broker/storage/blob_store.h"
#include "broker/storage/file_io.h"
#include "broker/storage/high_water.h"
#include "broker/storage/job_store_database.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/salvage_copy.h"
#include "broker/storage/salvage_writer.h"
#include "broker/storage/store_check.h"
#include "broker/storage/store_lock.h"
#include "common/base/files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchBytes = 1u << 20;

// The database of a new store: every batch ends with the store's description, as the broker's do.
class NewStore {
 public:
  static Result<std::unique_ptr<NewStore>> Make(const std::string& dir, StoreMeta meta) {
    ICARUS_TRY(MakePrivateDirectory(dir));
    std::unique_ptr<NewStore> store(new NewStore(dir, std::move(meta)));
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(JobStoreDbOptions({}), dir, &opened);
    store->db_.reset(opened);
    if (!status.ok()) return RocksError("cannot make a store in " + dir, status);
    return store;
  }
  void Put(std::string_view key, std::string_view stored) {
    if (!status_.ok()) return;
    status_ = batch_.Put(rocksdb::Slice(key.data(), key.size()), rocksdb::Slice(stored.data(), stored.size()));
    if (status_.ok() && batch_.GetDataSize() >= kBatchBytes) Write();
  }
  Status Finish() {
    Write();
    if (status_.ok()) status_ = db_->Flush(rocksdb::FlushOptions());
    if (status_.ok()) status_ = db_->SyncWAL();
    if (!status_.ok()) return RocksError("cannot write to the new store in " + dir_, status_);
    db_.reset();
    ICARUS_ASSIGN(HighWater mark, HighWater::Open(HighWaterPath(dir_)));
    ICARUS_TRY(mark.Write({meta_.lineage, meta_.epoch, meta_.sequence}));
    return SyncDirectory(dir_);
  }

 private:
  NewStore(std::string dir, StoreMeta meta) : dir_(std::move(dir)), meta_(std::move(meta)) {}
  void Write() {
    if (status_.ok()) status_ = batch_.Put(MetaKey(), EncodeRecord(MetaKey(), meta_));
    rocksdb::WriteOptions options;
    options.sync = true;
    if (status_.ok()) status_ = db_->Write(options, &batch_);
    batch_.Clear();
  }

  std::string dir_;
  StoreMeta meta_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;
};

StoreMeta MetaOfNew(const StoreSurvey& survey, const StorePosition& furthest) {
  StoreMeta meta = NewStoreMeta();
  meta.epoch = std::max(survey.last_epoch(), furthest.epoch) + kEpochLeap;
  meta.sequence = furthest.sequence;
  meta.clock_ms = survey.last_clock_ms();
  meta.last_job = survey.meta() ? survey.meta()->last_job : 0;
  if (!survey.jobs().empty()) meta.last_job = std::max(meta.last_job, survey.jobs().rbegin()->first.value);
  return meta;
}

Status CheckSchema(const StoreSurvey& survey, const std::string& dir) {
  if (!survey.meta() || IsKnownSchema(survey.meta()->schema)) return {};
  return Error::Make(ErrorCode::kRefused, "the job store in " + dir + " has schema " +
                                              std::to_string(survey.meta()->schema) + ", this release reads schema " +
                                              std::to_string(kStoreSchema) + "; use the release that wrote it");
}

Status CopyBlobs(const std::string& from, const std::string& to, const std::map<ContentHash, bool>& blobs,
                 std::uint64_t& copied) {
  ICARUS_ASSIGN(const BlobStore target, BlobStore::Open(to));
  for (const auto& [hash, whole] : blobs) {
    if (!whole) continue;
    const std::string path = target.PathOf(hash);
    ICARUS_TRY(MakePrivateDirectory(fs::path(path).parent_path().string()));
    ICARUS_TRY(CopyFile(BlobStore::Existing(from).PathOf(hash), path));
    ++copied;
  }
  return {};
}

Result<SalvageReport> Salvage(const StorePlaces& home, const std::string& target) {
  SalvageReport report;
  ICARUS_ASSIGN(const auto copy, SalvageCopy::Make(home.store, target + "/salvage.tmp", report.missing));
  const std::map<ContentHash, bool> blobs = CheckBlobs(home.blobs, report.missing);
  const StoreSurvey survey = SurveyStore(copy->db(), blobs);
  ICARUS_TRY(CheckSchema(survey, home.store));
  const StoreMeta meta = MetaOfNew(survey, copy->furthest());
  ICARUS_ASSIGN(const auto store, NewStore::Make(target + "/store", meta));
  SalvageWriter writer(survey, [&store](std::string_view key, std::string_view stored) { store->Put(key, stored); });
  ScanRecords(
      copy->db(), [&writer](std::string_view key, std::string_view stored) { writer.Take(key, stored); },
      [](const UnreadableRange&) {});
  ICARUS_TRY(store->Finish());
  ICARUS_TRY(CopyBlobs(home.blobs, target + "/blobs", blobs, report.blobs));
  for (const auto& part : {survey.findings(), writer.NameLosses()}) {
    report.missing.insert(report.missing.end(), part.begin(), part.end());
  }
  if (!report.missing.empty()) {
    const auto gaps = writer.NameGaps(meta.last_job);
    report.missing.insert(report.missing.end(), gaps.begin(), gaps.end());
  }
  report.jobs = writer.jobs();
  report.tasks = writer.tasks();
  report.bodies = writer.bodies();
  report.pending_again = writer.pending_again();
  report.lineage = meta.lineage;
  report.epoch = meta.epoch;
  return report;
}

}  // namespace

Status MakeEmptyDirectory(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_empty(path, error)) {
    return Error::Make(ErrorCode::kRefused, path + " is there and is not empty; name a directory that does not exist");
  }
  return MakePrivateDirectory(path);
}

Result<SalvageReport> SalvageStore(const StorePlaces& home, const std::string& target) {
  ICARUS_ASSIGN(const StoreLock lock, LockStore(home));
  ICARUS_TRY(MakeEmptyDirectory(target));
  return Salvage(home, target);
}

}  // namespace icarus::broker
