#include "broker/storage/job_store_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <filesystem>

#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/store_lock.h"
#include "common/base/random.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLineageBytes = 16;

// Of a table that is gone RocksDB names what it tried last: the name that tables had long ago.
std::string NameTables(std::string message) {
  for (std::size_t at; (at = message.find(".ldb")) != std::string::npos;) message.replace(at, 4, ".sst");
  return message;
}

}  // namespace

rocksdb::Options JobStoreDbOptions(const StorageLog& log) {
  rocksdb::Options options;
  SetCommonOptions(options, MakeRocksLogger("job store", log));
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

bool IsDatabaseFile(std::string_view name) {
  return name == "CURRENT" || name == "IDENTITY" || name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") ||
         name.ends_with(".sst") || name.ends_with(".log");
}

Error WithAdvice(const std::string& dir, Error error) {
  if (error.code != ErrorCode::kCorruption) return error;
  error.message = "the job store in " + dir + " is damaged: " + error.message +
                  "; nothing was changed; see all of it with icarus-broker --verify, then restore a backup, or make a "
                  "new store of what can be read with icarus-broker --salvage NEWDIR";
  return error;
}

Error OpenFailure(const std::string& dir, const std::string& home, const rocksdb::Status& status) {
  if (IsLockHeld(status)) return ServedElsewhere(home.empty() ? dir : home);
  // A file that the store names and that is gone is damage too, whatever RocksDB calls it.
  const bool gone =
      status.IsPathNotFound() || (status.IsIOError() && status.ToString().find("No such file") != std::string::npos);
  if (status.IsCorruption() || gone) return CorruptionError(NameTables(status.ToString()));
  return RocksError("cannot open the job store in " + dir, status);
}

Status CheckNotHeadless(const std::string& dir) {
  std::error_code error;
  if (fs::exists(fs::path(dir) / "CURRENT", error)) return {};
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    const std::string extension = it->path().extension();
    if (extension == ".sst" || extension == ".log") return CorruptionError("its file CURRENT is missing");
  }
  if (error) return IoError("cannot read " + dir + ": " + error.message());
  return {};
}

StoreMeta NewStoreMeta() {
  StoreMeta fresh;
  fresh.lineage = RandomHex(kLineageBytes);
  return fresh;
}

Result<StoreMeta> ReadMeta(rocksdb::DB& db, const std::string& dir) {
  std::string stored;
  const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), MetaKey(), &stored);
  if (status.IsNotFound()) {
    const std::unique_ptr<rocksdb::Iterator> any(db.NewIterator(rocksdb::ReadOptions()));
    any->SeekToFirst();
    if (any->Valid()) return CorruptionError("the store's description is missing");
    if (!any->status().ok()) return CorruptionError(any->status().ToString());
    return NewStoreMeta();
  }
  if (!status.ok()) return CorruptionError(status.ToString());
  Result<StoreMeta> meta = DecodeRecord<StoreMeta>(MetaKey(), stored);
  if (!meta) return CorruptionError("the store's description cannot be read: " + meta.error().message);
  if (!IsKnownSchema(meta->schema)) {
    return Error::Make(ErrorCode::kRefused, "the job store in " + dir + " has schema " + std::to_string(meta->schema) +
                                                ", this broker reads schema " + std::to_string(kOldestStoreSchema) +
                                                " to " + std::to_string(kStoreSchema) +
                                                "; use the release that wrote it");
  }
  return meta;
}

ReadOnlyDatabase::ReadOnlyDatabase() = default;
ReadOnlyDatabase::~ReadOnlyDatabase() { db_.reset(); }

rocksdb::Status ReadOnlyDatabase::Open(const std::string& dir, LogFiles logs, Damage damage, ReadOnlyDatabase& into) {
  into.db_.reset();
  into.env_ = MakeReadOnlyEnv(logs);
  rocksdb::Options options = JobStoreDbOptions({});
  options.create_if_missing = false;
  options.env = into.env_.get();
  if (damage == Damage::kSkip) options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, dir, &db);
  into.db_.reset(db);
  return status;
}

}  // namespace icarus::broker
