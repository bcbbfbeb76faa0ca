#include "broker/storage/store_logs.h"

#include <rocksdb/slice.h>
#include <rocksdb/status.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "broker/core/records.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/log_file.h"
#include "broker/storage/record_codec.h"
#include "common/base/files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxLogBytes = 4ull << 30;

// Finds the store's description in a batch.
class MetaFinder : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    if (key != MetaKey()) return rocksdb::Status::OK();
    const auto meta = DecodeRecord<StoreMeta>(MetaKey(), {value.data(), value.size()});
    if (meta) found = StorePosition{meta->lineage, meta->epoch, meta->sequence};
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return rocksdb::Status::OK();
  }
  std::optional<StorePosition> found;
};

std::optional<StorePosition> PositionOf(std::string_view batch) {
  MetaFinder finder;
  const rocksdb::Status status = rocksdb::WriteBatch(std::string(batch)).Iterate(&finder);
  return status.ok() ? finder.found : std::nullopt;
}

std::vector<fs::path> LogsIn(const std::string& dir, std::error_code& error) {
  std::vector<fs::path> logs;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".log") logs.push_back(it->path());
  }
  std::sort(logs.begin(), logs.end());  // their numbers have six digits and more
  std::stable_sort(logs.begin(), logs.end(),
                   [](const fs::path& a, const fs::path& b) { return a.string().size() < b.string().size(); });
  return logs;
}

class LogsReader {
 public:
  explicit LogsReader(const BatchVisitor& visit) : visit_(visit) {}

  Status ReadFile(const fs::path& path) {
    ICARUS_ASSIGN(const std::string log, icarus::ReadFile(path.string(), kMaxLogBytes));
    path_ = path.string();
    const auto damage =
        ReadLog(log, [this](std::string_view record, bool after_damage) { Take(record, after_damage); });
    if (!damage || broken_) return {};
    if (damage->followed) {
      Break(path_ + " cannot be read at byte " + std::to_string(damage->offset) + ", and whole records follow");
    } else if (!logs_.torn_file.empty()) {
      BreakBehindTorn();
    } else {
      torn_at_ = damage->offset;
      logs_.torn_file = path_;
    }
    return {};
  }

  StoreLogs Finish() {
    if (broken_) {
      logs_.end = StoreLogs::End::kDamaged;
      logs_.torn_file.clear();
    } else if (!logs_.torn_file.empty()) {
      logs_.end = StoreLogs::End::kTorn;
      logs_.what = logs_.torn_file + " ends in the middle of a record, at byte " + std::to_string(torn_at_);
    }
    return std::move(logs_);
  }

 private:
  void Take(std::string_view record, bool after_damage) {
    const std::optional<StorePosition> position = PositionOf(record);
    if (!logs_.torn_file.empty() && !broken_) BreakBehindTorn();
    if (!broken_ && !after_damage) {
      if (position) {
        Follow(*position);
      } else {
        Break(path_ + " holds a record that is not of this store");
      }
    }
    if (visit_) visit_(position, record, broken_ || after_damage);
  }

  void BreakBehindTorn() {
    Break(logs_.torn_file + " cannot be read from byte " + std::to_string(torn_at_) + " on, and " + path_ +
          " goes on after it");
  }

  // Batches are numbered without a gap. One may be there twice, after a full disk; a start of the broker writes one
  // with the number of the last.
  void Follow(const StorePosition& position) {
    if (logs_.last && (position.sequence > logs_.last->sequence + 1 || position.sequence < logs_.last->sequence ||
                       position.epoch < logs_.last->epoch || position.lineage != logs_.last->lineage)) {
      return Break(path_ + " goes on at batch " + std::to_string(position.sequence) + " (start " +
                   std::to_string(position.epoch) + ") after batch " + std::to_string(logs_.last->sequence) +
                   " (start " + std::to_string(logs_.last->epoch) + ")");
    }
    if (!logs_.first) logs_.first = position;
    logs_.last = position;
  }

  void Break(std::string what) {
    broken_ = true;
    logs_.what = std::move(what);
  }

  const BatchVisitor& visit_;
  StoreLogs logs_;
  std::string path_;
  bool broken_ = false;
  std::uint64_t torn_at_ = 0;
};

}  // namespace

Result<StoreLogs> ReadStoreLogs(const std::string& dir, const BatchVisitor& visit) {
  std::error_code error;
  const std::vector<fs::path> paths = LogsIn(dir, error);
  if (error) return IoError("cannot read " + dir + ": " + error.message());
  LogsReader reader(visit);
  for (const fs::path& path : paths) ICARUS_TRY(reader.ReadFile(path));
  return reader.Finish();
}

std::string NameBatches(std::uint64_t first, std::uint64_t last) {
  if (first == last) return "batch " + std::to_string(first);
  return "batches " + std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace icarus::broker
