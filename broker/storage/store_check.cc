#include "broker/storage/store_check.h"

#include <rocksdb/db.h>
#include <rocksdb/status.h>

#include <filesystem>

#include "broker/storage/job_store_database.h"
#include "broker/storage/log_file.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/store_logs.h"
#include "common/base/files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxManifestBytes = 1ull << 30;

StorePosition PositionOf(const StoreMeta& meta) { return {meta.lineage, meta.epoch, meta.sequence}; }

std::string NamePosition(const StorePosition& at) {
  return "batch " + std::to_string(at.sequence) + " (start " + std::to_string(at.epoch) + ")";
}

// Where the tables alone end.
Result<std::optional<StorePosition>> TablesEnd(const std::string& dir, const std::string& home) {
  ReadOnlyDatabase tables;
  const rocksdb::Status opened =
      ReadOnlyDatabase::Open(dir, LogFiles::kHidden, ReadOnlyDatabase::Damage::kRefuse, tables);
  if (!opened.ok()) return OpenFailure(dir, home, opened);
  ICARUS_ASSIGN(const StoreMeta meta, ReadMeta(tables.db(), dir));
  if (meta.epoch == 0) return std::optional<StorePosition>();
  return std::optional(PositionOf(meta));
}

// The tables and the logs are one row of batches.
Status CheckJoined(const std::optional<StorePosition>& tables, const StoreLogs& logs) {
  if (!logs.first) return {};
  const std::uint64_t next = tables ? tables->sequence + 1 : 0;
  if (logs.first->sequence <= next) return {};
  return CorruptionError(NameBatches(next, logs.first->sequence - 1) + " are neither in its tables nor in its logs");
}

Status CheckMark(const std::string& dir, const StoreCheck& check) {
  if (!check.mark) {
    if (check.torn_log.empty()) return {};
    return CorruptionError(check.torn_what + ", and " + HighWaterPath(dir) +
                           ", which would show that nothing acknowledged was lost, cannot be read");
  }
  const StorePosition& mark = *check.mark;
  if (!check.is_new && mark.lineage != check.reached.lineage && check.torn_log.empty()) return {};
  if (mark.lineage == check.reached.lineage && check.reached.epoch >= mark.epoch &&
      check.reached.sequence >= mark.sequence) {
    return {};
  }
  const std::string why = check.torn_log.empty() ? "" : check.torn_what + "; ";
  return CorruptionError(why + "it ends at " + NamePosition(check.reached) + ", but " + NamePosition(mark) +
                         " was on disk and acknowledged");
}

}  // namespace

// The file that CURRENT names lists the tables, in the format of a log. RocksDB takes one that was cut off for whole.
Status CheckTableList(const std::string& dir) {
  ICARUS_ASSIGN(std::string name, ReadFile(dir + "/CURRENT", 4096));
  if (name.empty() || name.back() != '\n') return CorruptionError("its file CURRENT is cut off");
  name.pop_back();
  const std::string path = dir + "/" + name;
  if (name.find('/') != std::string::npos || !PathExists(path)) {
    return CorruptionError("its file CURRENT names " + name.substr(0, 64) + ", which is not there");
  }
  ICARUS_ASSIGN(const std::string manifest, ReadFile(path, kMaxManifestBytes));
  bool any = false;
  const auto damage = ReadLog(manifest, [&any](std::string_view, bool) { any = true; });
  if (damage) return CorruptionError(path + " cannot be read at byte " + std::to_string(damage->offset));
  if (!any) return CorruptionError(path + " is empty");
  return {};
}

std::string HighWaterPath(const std::string& store_dir) { return (fs::path(store_dir) / "highwater").string(); }

Result<StoreCheck> CheckStoreFiles(const std::string& dir, const std::string& home) {
  ICARUS_TRY(CheckNotHeadless(dir));
  StoreCheck check;
  ICARUS_ASSIGN(check.mark, HighWater::Read(HighWaterPath(dir)));
  check.is_new = !PathExists(dir + "/CURRENT");
  if (!check.is_new) {
    ICARUS_TRY(CheckTableList(dir));
    ICARUS_ASSIGN(const StoreLogs logs, ReadStoreLogs(dir));
    if (logs.end == StoreLogs::End::kDamaged) return CorruptionError(logs.what);
    ICARUS_ASSIGN(const std::optional<StorePosition> tables, TablesEnd(dir, home));
    ICARUS_TRY(CheckJoined(tables, logs));
    if (tables) check.reached = *tables;
    if (logs.last && (!tables || logs.last->sequence >= tables->sequence)) check.reached = *logs.last;
    check.is_new = check.reached.epoch == 0;
    check.torn_log = logs.torn_file;
    check.torn_what = logs.what;
  }
  ICARUS_TRY(CheckMark(dir, check));
  return check;
}

}  // namespace icarus::broker
