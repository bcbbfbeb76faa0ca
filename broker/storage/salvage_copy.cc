#include "broker/storage/salvage_copy.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "broker/storage/file_io.h"
#include "broker/storage/job_store_database.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/store_check.h"
#include "broker/storage/store_logs.h"
#include "common/base/files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

bool HasTables(const std::string& dir) {
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".sst") return true;
  }
  return false;
}

std::optional<StorePosition> TablesPosition(rocksdb::DB& db) {
  std::string stored;
  if (!db.Get(rocksdb::ReadOptions(), MetaKey(), &stored).ok()) return std::nullopt;
  const auto meta = DecodeRecord<StoreMeta>(MetaKey(), stored);
  if (!meta) return std::nullopt;
  return StorePosition{meta->lineage, meta->epoch, meta->sequence};
}

// The numbers between `first` and `last` that are not in `seen`, in runs.
void NameMissing(std::uint64_t first, std::uint64_t last, const std::set<std::uint64_t>& seen,
                 std::vector<std::string>& missing) {
  for (std::uint64_t at = first; at <= last; ++at) {
    if (seen.contains(at)) continue;
    const auto next = seen.lower_bound(at);
    const std::uint64_t end = next == seen.end() ? last : std::min(last, *next - 1);
    const bool tail = next == seen.end();
    missing.push_back(NameBatches(at, end) + (tail ? ": nothing of it can be read, and nothing after it is there"
                                                   : ": nothing of it can be read; later ones are there"));
    at = end;
  }
}

}  // namespace

SalvageCopy::~SalvageCopy() {
  db_.reset();
  (void)RemoveTree(dir_);
}

Result<std::unique_ptr<SalvageCopy>> SalvageCopy::Make(const std::string& store_dir, const std::string& dir,
                                                       std::vector<std::string>& missing) {
  std::unique_ptr<SalvageCopy> copy(new SalvageCopy(dir));
  ICARUS_TRY(copy->CopyFiles(store_dir, missing));
  ICARUS_TRY(copy->OpenTables(missing));
  ICARUS_TRY(copy->ReplayLogs(missing));
  return copy;
}

// The logs apart from the rest: RocksDB is not to read them.
Status SalvageCopy::CopyFiles(const std::string& store_dir, std::vector<std::string>& missing) {
  ICARUS_TRY(MakePrivateDirectory(logs_dir()));
  ICARUS_TRY(MakePrivateDirectory(tables_dir()));
  ICARUS_ASSIGN(mark_, HighWater::Read(HighWaterPath(store_dir)));
  std::error_code error;
  for (fs::directory_iterator it(store_dir, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!IsDatabaseFile(name)) continue;
    const std::string to = (name.ends_with(".log") ? logs_dir() : tables_dir()) + "/" + name;
    const Status copied = CopyFile(it->path().string(), to);
    if (copied) continue;
    if (copied.error().code == ErrorCode::kOverloaded) return copied;
    missing.push_back(copied.error().message);  // a disk that gives some of its blocks no more
  }
  if (error) return IoError("cannot read " + store_dir + ": " + error.message());
  return {};
}

// Opening for writing deletes tables that the list does not name, so whether the list is complete is asked before.
bool SalvageCopy::TablesAreComplete() const {
  if (!CheckTableList(tables_dir())) return false;
  ReadOnlyDatabase tables;
  const auto opened =
      ReadOnlyDatabase::Open(tables_dir(), LogFiles::kHidden, ReadOnlyDatabase::Damage::kRefuse, tables);
  if (!opened.ok()) return false;
  const std::optional<StorePosition> end = TablesPosition(tables.db());
  const auto logs = ReadStoreLogs(logs_dir());
  if (!logs || !logs->first) return end && (!mark_ || end->sequence >= mark_->sequence);
  return end ? logs->first->sequence <= end->sequence + 1 : logs->first->sequence == 0;
}

Status SalvageCopy::OpenTables(std::vector<std::string>& missing) {
  rocksdb::Options options = JobStoreDbOptions({});
  options.paranoid_checks = false;  // a table that cannot be opened costs itself
  if (!HasTables(tables_dir())) {
    ICARUS_TRY(RemoveTree(tables_dir()));  // a list without its tables is of no use
    ICARUS_TRY(MakePrivateDirectory(tables_dir()));
  } else if (!TablesAreComplete()) {
    const rocksdb::Status repaired = rocksdb::RepairDB(tables_dir(), options);
    if (!repaired.ok()) return RocksError("the list of tables cannot be made anew", repaired);
    std::error_code error;
    for (fs::directory_iterator it(tables_dir() + "/lost", error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.ends_with(".sst")) missing.push_back("the table " + name + ": it cannot be read");
    }
  }
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, tables_dir(), &opened);
  db_.reset(opened);
  if (!status.ok()) return RocksError("the copy cannot be opened, also not repaired", status);
  return {};
}

Status SalvageCopy::ReplayLogs(std::vector<std::string>& missing) {
  const std::optional<StorePosition> tables = TablesPosition(*db_);
  if (tables) furthest_ = *tables;
  std::set<std::uint64_t> seen;
  rocksdb::Status written;
  const auto replay = [&](const std::optional<StorePosition>& position, std::string_view batch, bool) {
    // What the tables have already is older than they are.
    const bool is_old = position && tables &&
                        (position->sequence < tables->sequence ||
                         (position->sequence == tables->sequence && position->epoch <= tables->epoch));
    if (!position || is_old || !written.ok()) return;
    rocksdb::WriteBatch writes{std::string(batch)};
    written = db_->Write(rocksdb::WriteOptions(), &writes);
    seen.insert(position->sequence);
    if (position->sequence >= furthest_.sequence) furthest_ = *position;
  };
  ICARUS_ASSIGN(const StoreLogs logs, ReadStoreLogs(logs_dir(), replay));
  if (!written.ok()) return RocksError("cannot write to the copy in " + dir_, written);
  if (logs.end != StoreLogs::End::kWhole) missing.push_back("the log " + logs.what);
  std::uint64_t last = furthest_.sequence;
  if (mark_ && (furthest_.lineage.empty() || mark_->lineage == furthest_.lineage)) {
    last = std::max(last, mark_->sequence);
    furthest_.epoch = std::max(furthest_.epoch, mark_->epoch);
  }
  NameMissing(tables ? tables->sequence + 1 : 1, last, seen, missing);
  furthest_.sequence = last;
  return {};
}

}  // namespace icarus::broker
