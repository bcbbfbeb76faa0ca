// Every kind of damage to every kind of file of a job store: it is refused without changing anything, or it is told
// when what it hit is read, or it is a torn tail that cost nothing acknowledged. None is opened with less and called
// fine.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "broker/storage/high_water.h"
#include "broker/storage/rocksdb_job_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kInTables = 20;
constexpr std::uint64_t kBatches = 40;
constexpr std::size_t kLastRecord = kBodyBytes / 2;  // that many bytes from the end of the log are in its last record

enum class Outcome { kRefused, kToldWhenRead, kTornTail };

struct Kind {
  const char* name;
  Outcome outcome;
  std::string begin;  // of the name of the file that is damaged
  std::string end;
  std::function<void(std::string& content)> damage;  // empty: the file is removed
  std::uint64_t mark = kBatches;                     // where the high-water mark is
  std::string message;                               // a part of what is said
};

void Flip(std::string& content, std::size_t at) { content[at] = static_cast<char>(content[at] ^ 0x40); }
void Zero(std::string& content, std::size_t at, std::size_t bytes) {
  std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), bytes, '\0');
}

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

std::vector<Kind> Kinds() {
  using S = std::string;
  const Outcome refused = Outcome::kRefused;
  return {
      {"log flipped in the middle", refused, "", ".log", [](S& c) { Flip(c, c.size() / 2); }, 40,
       ".log cannot be read"},
      {"log flipped in the first record", refused, "", ".log", [](S& c) { Flip(c, 20); }, 40, ".log cannot be read"},
      {"log flipped in an acknowledged last record", refused, "", ".log", [](S& c) { Flip(c, c.size() - kLastRecord); },
       40, "batch 40 (start 2) was on disk"},
      {"log flipped in a last record that nobody knows", Outcome::kTornTail, "", ".log",
       [](S& c) { Flip(c, c.size() - kLastRecord); }, 39, ".log ends in the middle"},
      {"log cut in the middle", refused, "", ".log", [](S& c) { c.resize(c.size() / 2); }, 40, "batch 40 (start 2)"},
      {"log cut in an acknowledged last record", refused, "", ".log", [](S& c) { c.resize(c.size() - kLastRecord); },
       40, "batch 40 (start 2) was on disk"},
      {"log cut in a last record that nobody knows", Outcome::kTornTail, "", ".log",
       [](S& c) { c.resize(c.size() - kLastRecord); }, 39, ".log ends in the middle"},
      {"log with a last page of zeros", Outcome::kTornTail, "", ".log",
       [](S& c) { Zero(c, c.size() - kLastRecord, kLastRecord); }, 39, ".log ends in the middle"},
      {"log with a page of zeros in the middle", refused, "", ".log", [](S& c) { Zero(c, 40960, 4096); }, 40,
       ".log cannot be read"},
      {"log with a block of zeros in the middle", refused, "", ".log", [](S& c) { Zero(c, 32768, 32768); }, 40,
       ".log cannot be read"},
      {"log zeroed", refused, "", ".log", [](S& c) { Zero(c, 0, c.size()); }, 40, "batch 40 (start 2)"},
      {"log with garbage behind it", Outcome::kTornTail, "", ".log", [](S& c) { c += Noise(99, 3000); }, 40,
       ".log ends in the middle"},
      {"log removed", refused, "", ".log", {}, 40, "batch 40 (start 2) was on disk"},
      {"table flipped", Outcome::kToldWhenRead, "", ".sst", [](S& c) { Flip(c, c.size() / 3); }, 40, ".sst"},
      {"table with a page of zeros", Outcome::kToldWhenRead, "", ".sst", [](S& c) { Zero(c, 40960, 4096); }, 40,
       ".sst"},
      {"table with a broken footer", refused, "", ".sst", [](S& c) { Flip(c, c.size() - 5); }, 40, ".sst"},
      {"table cut", refused, "", ".sst", [](S& c) { c.resize(c.size() / 2); }, 40, ".sst"},
      {"table removed", refused, "", ".sst", {}, 40, ".sst"},
      {"manifest flipped", refused, "MANIFEST", "", [](S& c) { Flip(c, c.size() / 2); }, 40, "MANIFEST"},
      {"manifest cut in the middle", refused, "MANIFEST", "", [](S& c) { c.resize(c.size() / 2); }, 40, "MANIFEST"},
      {"manifest cut at its end", refused, "MANIFEST", "", [](S& c) { c.resize(c.size() - 3); }, 40, "MANIFEST"},
      {"manifest zeroed", refused, "MANIFEST", "", [](S& c) { Zero(c, 0, c.size()); }, 40, "MANIFEST"},
      {"manifest removed", refused, "MANIFEST", "", {}, 40, "MANIFEST"},
      {"CURRENT flipped", refused, "CURRENT", "", [](S& c) { Flip(c, c.size() - 3); }, 40, "CURRENT"},
      {"CURRENT cut", refused, "CURRENT", "", [](S& c) { c.resize(c.size() - 1); }, 40, "CURRENT"},
      {"CURRENT zeroed", refused, "CURRENT", "", [](S& c) { Zero(c, 0, c.size()); }, 40, "CURRENT"},
      {"CURRENT removed", refused, "CURRENT", "", {}, 40, "CURRENT"},
  };
}

class DamageKinds : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    FillStore(store_dir_, kInTables, kBatches, kBodyBytes);
    SetMark(GetParam().mark);
    const fs::path file = FileLike(store_dir_, GetParam().begin, GetParam().end);
    if (!GetParam().damage) {
      fs::remove(file);
      return;
    }
    std::string content = ReadAll(file);
    GetParam().damage(content);
    WriteAll(file, content);
  }
  // The mark as a power cut would have left it.
  void SetMark(std::uint64_t sequence) const {
    const auto mark = HighWater::Read(store_dir_ + "/highwater");
    ASSERT_TRUE(mark && *mark);
    ASSERT_TRUE(HighWater::Open(store_dir_ + "/highwater")->Write({(*mark)->lineage, (*mark)->epoch, sequence}));
  }
  // Opens the store and reads all of it; the first thing that is wrong.
  Status OpenAndReadAll(std::uint64_t batches) const {
    JobStoreOptions options;
    options.log = [this](const std::string& line) { log_ += line + "\n"; };
    ICARUS_ASSIGN(const auto store, RocksDbJobStore::Open(store_dir_, options));
    opened_ = true;
    std::vector<std::string> lines;
    ICARUS_TRY(store->Load(TraceTo(lines)));
    EXPECT_EQ(lines.size(), 1 + 2 * batches);
    EXPECT_EQ(store->meta().sequence, batches);
    for (std::uint64_t n = 1; n <= batches; ++n) {
      ICARUS_ASSIGN(const auto tasks, store->ReadTasks(JobId(n), {0}, true));
      if (!tasks.at(0) || *tasks.at(0)->body != Noise(n, kBodyBytes)) return IoError("another body, and nothing said");
    }
    return {};
  }

  testing::TempDir dir_;
  const std::string store_dir_ = dir_ / "store";
  mutable std::string log_;
  mutable bool opened_ = false;
};

TEST_P(DamageKinds, IsNeverOpenedWithLessAndCalledFine) {
  const Kind& kind = GetParam();
  const auto before = Snapshot(store_dir_);
  const bool last_is_lost = kind.mark < kBatches;
  const Status read = OpenAndReadAll(kind.outcome == Outcome::kTornTail && last_is_lost ? kBatches - 1 : kBatches);
  if (kind.outcome == Outcome::kTornTail) {
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_NE(log_.find(kind.message), std::string::npos) << log_;
    const std::string log = FileLike(store_dir_, "", "Z").string();
    EXPECT_EQ(ReadAll(log), before.at(log.substr(0, log.find(".torn-")))) << "the log as it was is kept";
    return;
  }
  ASSERT_FALSE(read) << "opened and read as if nothing were missing";
  EXPECT_EQ(read.error().code, ErrorCode::kCorruption) << read.error().message;
  EXPECT_EQ(opened_, kind.outcome == Outcome::kToldWhenRead) << read.error().message;
  EXPECT_NE(read.error().message.find(kind.message), std::string::npos) << read.error().message;
  if (opened_) return;
  EXPECT_NE(read.error().message.find("--salvage"), std::string::npos) << read.error().message;
  EXPECT_EQ(read.error().message.find('\n'), std::string::npos) << read.error().message;
  EXPECT_TRUE(Snapshot(store_dir_) == before) << "a store that is refused was changed";
}

INSTANTIATE_TEST_SUITE_P(All, DamageKinds, ::testing::ValuesIn(Kinds()),
                         [](const ::testing::TestParamInfo<Kind>& kind) {
                           std::string name = kind.param.name;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

// A log from which whole records are missing, though each that is there is whole.
TEST(StoreLogsGap, AMissingLogBetweenTablesAndTheNextIsSeen) {
  const testing::TempDir dir;
  const std::string store_dir = dir / "store";
  FillStore(store_dir, 20, 40, 100);
  const auto tables_until_20 = Snapshot(store_dir);
  { ASSERT_NE(OpenStore(store_dir), nullptr); }  // puts the rest into a table, and begins a new log
  for (const auto& [path, content] : Snapshot(store_dir)) {
    if (!path.ends_with(".log")) fs::remove(path);
  }
  for (const auto& [path, content] : tables_until_20) {
    if (!path.ends_with(".log")) WriteAll(path, content);
  }
  const auto store = RocksDbJobStore::Open(store_dir, {});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("batches 21 to 39 are neither in its tables nor in its logs"), std::string::npos)
      << store.error().message;
}

}  // namespace
}  // namespace icarus::broker
