#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "broker/storage/rocksdb_cache_store.h"
#include "common/base/random.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

ContentHash Key(int number) { return HashBytes(std::to_string(number)); }

class CacheStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    store_.reset();
    auto store = RocksDbCacheStore::Open(cache_dir_, [this](const std::string& line) { log_ += line + "\n"; });
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }
  void Put(int number, const std::string& body) {
    CacheEntry entry;
    entry.analysis = "analysis " + std::to_string(number);
    entry.size_bytes = body.size();
    CacheChanges changes;
    changes.puts[Key(number)] = {entry, std::make_shared<const std::string>(body)};
    Write(changes);
  }
  void Write(const CacheChanges& changes) {
    const auto written = store_->Write(changes, room_);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(*written, CacheWritten::kAll);
  }
  void Remove(const std::unordered_set<ContentHash>& keys) {
    CacheChanges changes;
    changes.removals = keys;
    Write(changes);
  }
  std::optional<std::string> Get(int number) {
    auto value = store_->Get(Key(number));
    EXPECT_TRUE(value) << value.error().message;
    return value ? *value : std::nullopt;
  }
  std::map<ContentHash, std::string> Load() {
    std::map<ContentHash, std::string> loaded;
    const Status status = store_->Load([&](const ContentHash& key, CacheEntry entry) { loaded[key] = entry.analysis; });
    EXPECT_TRUE(status) << status.error().message;
    return loaded;
  }
  // Changes the stored value of an entry or a body behind the closed store's back.
  void FlipBit(const std::string& family, const ContentHash& key) {
    store_.reset();
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), cache_dir_, {{"default", {}}, {"body", {}}, {"use", {}}},
                                  &handles, &opened)
                    .ok());
    rocksdb::ColumnFamilyHandle* handle = handles[family == "body" ? 1 : 0];
    std::string value;
    EXPECT_TRUE(opened->Get(rocksdb::ReadOptions(), handle, key.Raw(), &value).ok());
    value.back() = static_cast<char>(value.back() ^ 1);
    EXPECT_TRUE(opened->Put(rocksdb::WriteOptions(), handle, key.Raw(), value).ok());
    for (auto* each : handles) delete each;
    delete opened;
    Reopen();
  }
  void ExpectSetAsideAndUsable() {
    Reopen();
    EXPECT_NE(log_.find("was set aside as " + cache_dir_ + ".damaged-"), std::string::npos) << log_;
    EXPECT_EQ(
        std::count_if(fs::directory_iterator(dir_.path()), fs::directory_iterator(),
                      [](const auto& file) { return file.path().string().find(".damaged-") != std::string::npos; }),
        1);
    EXPECT_TRUE(Load().empty());
    EXPECT_EQ(Get(1), std::nullopt);
    Put(1, "again");
    EXPECT_EQ(Get(1), "again");
  }
  void ExpectFewBytes(std::uintmax_t most);
  fs::path FileWith(const std::string& part) const {
    for (const auto& file : fs::directory_iterator(cache_dir_)) {
      if (file.path().filename().string().find(part) != std::string::npos) return file.path();
    }
    ADD_FAILURE() << "no file *" << part << "*";
    return {};
  }

  testing::TempDir dir_;
  const std::string cache_dir_ = dir_ / "cache";
  std::string log_;
  CacheRoom room_{0, 500u << 20};
  std::unique_ptr<RocksDbCacheStore> store_;
};

TEST_F(CacheStoreTest, ExactlyWhatWasPutComesBack) {
  const std::vector<std::string> bodies{"", "small", Noise(7, 4096), Noise(7, 3 << 20), std::string(100'000, 'a')};
  for (std::size_t i = 0; i < bodies.size(); ++i) Put(static_cast<int>(i), bodies[i]);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_TRUE(Get(static_cast<int>(i)) == bodies[i]) << i;
    EXPECT_EQ(Get(99), std::nullopt);
    Reopen();
  }
}

TEST_F(CacheStoreTest, LoadReportsEveryEntry) {
  Put(1, "one");
  Put(2, Noise(7, 10'000));
  Put(1, "one again");
  Reopen();
  EXPECT_EQ(Load(), (std::map<ContentHash, std::string>{{Key(1), "analysis 1"}, {Key(2), "analysis 2"}}));
  EXPECT_EQ(Get(1), "one again");
}

TEST_F(CacheStoreTest, RemovedEntriesAreGoneAndOthersStay) {
  for (int i = 0; i < 4; ++i) Put(i, Noise(7, 5000));
  Remove({Key(1), Key(2), Key(77)});
  EXPECT_EQ(Get(1), std::nullopt);
  Reopen();
  EXPECT_EQ(Load().size(), 2u);
  EXPECT_EQ(Get(2), std::nullopt);
  EXPECT_TRUE(Get(3) == Noise(7, 5000));
}

std::uintmax_t BytesIn(const std::string& dir) {
  std::uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator(dir)) {
    if (file.path().extension() != ".blob" && file.path().extension() != ".sst") continue;
    std::error_code gone;
    const std::uintmax_t size = file.file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

void CacheStoreTest::ExpectFewBytes(std::uintmax_t most) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (BytesIn(cache_dir_) >= most && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_LT(BytesIn(cache_dir_), most);
}

TEST_F(CacheStoreTest, TheSpaceOfWhatIsRemovedComesBackAtRest) {
  const std::string noise = Noise(7, 1 << 20);
  for (int i = 0; i < 30; ++i) Put(i, noise + std::to_string(i));
  room_.live_bytes = 1u << 20;
  std::unordered_set<ContentHash> removed;
  for (int i = 1; i < 30; ++i) removed.insert(Key(i));
  Remove(removed);
  ExpectFewBytes(10u << 20);
  EXPECT_EQ(Get(0), noise + "0");
}

TEST_F(CacheStoreTest, BeyondTwiceItsLimitNothingIsPutUntilSpaceIsBack) {
  room_ = {1u << 20, 1u << 20};
  const std::string noise = Noise(7, 4 << 20);
  CacheWritten last = CacheWritten::kAll;
  int number = 0;
  for (; number < 100 && last == CacheWritten::kAll; ++number) {
    CacheChanges changes;
    changes.puts[Key(number)] = {CacheEntry(), std::make_shared<const std::string>(noise + std::to_string(number))};
    const auto written = store_->Write(changes, room_);
    ASSERT_TRUE(written) << written.error().message;
    last = *written;
  }
  EXPECT_EQ(last, CacheWritten::kWithoutPuts);
  EXPECT_GE(number, 16) << "64 MiB more than twice the limit are its due";
  EXPECT_EQ(Get(number - 1), std::nullopt);
  std::unordered_set<ContentHash> removed;
  for (int i = 0; i < number; ++i) removed.insert(Key(i));
  Remove(removed);
  ExpectFewBytes(20u << 20);
  Put(1, "there is room");
  EXPECT_EQ(Get(1), "there is room");
}

TEST_F(CacheStoreTest, WhenMemoryIsShortItIsGivenBackAndComesAgain) {
  const std::string noise = Noise(7, 3000);
  const auto read_all = [&] {
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(Get(i), noise + std::to_string(i));
  };
  for (int i = 0; i < 2000; ++i) Put(i, noise + std::to_string(i));
  Reopen();  // into tables
  read_all();
  const std::uint64_t plenty = store_->MemoryBytes();
  EXPECT_GT(plenty, 4u << 20);
  Put(2000, std::string(1 << 20, 'x'));
  store_->SetMemory(CacheMemory::kShort);
  read_all();
  EXPECT_LT(store_->MemoryBytes(), 2u << 20);
  store_->SetMemory(CacheMemory::kPlenty);
  read_all();
  EXPECT_GT(store_->MemoryBytes(), plenty / 2);
}

TEST_F(CacheStoreTest, UsesAreKeptAndGoWithTheirEntry) {
  Put(1, "one");
  Put(2, "two");
  CacheChanges uses;
  uses.uses = {{Key(1), 17}, {Key(2), 18}};
  Write(uses);
  Remove({Key(2)});
  Reopen();
  Put(2, "again");
  std::map<ContentHash, std::uint64_t> used;
  ASSERT_TRUE(store_->Load([&](const ContentHash& key, CacheEntry entry) { used[key] = entry.last_used; }));
  EXPECT_EQ(used, (std::map<ContentHash, std::uint64_t>{{Key(1), 17}, {Key(2), 0}}));
}

TEST_F(CacheStoreTest, ClearEmptiesItAndGivesTheSpaceBack) {
  const std::string noise = Noise(7, 1 << 20);
  for (int i = 0; i < 30; ++i) Put(i, noise + std::to_string(i));
  EXPECT_GT(BytesIn(cache_dir_), 15u << 20);
  CacheChanges clear;
  clear.clear = true;
  Write(clear);
  EXPECT_TRUE(Load().empty());
  EXPECT_EQ(Get(3), std::nullopt);
  ExpectFewBytes(1u << 20);  // a file that another job of the database still reads goes when that ends
  Put(3, "new");
  Reopen();
  EXPECT_EQ(Get(3), "new");
  EXPECT_EQ(Load().size(), 1u);
}

TEST_F(CacheStoreTest, ADamagedBodyIsCorruptionAndNamed) {
  Put(1, "one");
  Put(2, "two");
  FlipBit("body", Key(1));
  const auto value = store_->Get(Key(1));
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kCorruption);
  EXPECT_NE(value.error().message.find(Key(1).Hex()), std::string::npos);
  EXPECT_EQ(Get(2), "two");
  Remove({Key(1)});
  EXPECT_EQ(Get(1), std::nullopt);
}

TEST_F(CacheStoreTest, ADamagedEntryIsDroppedWithItsBody) {
  Put(1, "one");
  Put(2, "two");
  FlipBit("entry", Key(1));
  EXPECT_EQ(Load(), (std::map<ContentHash, std::string>{{Key(2), "analysis 2"}}));
  EXPECT_NE(log_.find("1 damaged entries"), std::string::npos) << log_;
  EXPECT_EQ(Get(1), std::nullopt);
}

TEST_F(CacheStoreTest, ADatabaseThatCannotBeOpenedIsSetAside) {
  Put(1, "one");
  store_.reset();
  std::ofstream(FileWith("MANIFEST-")) << "this is no manifest";
  ExpectSetAsideAndUsable();
}

TEST_F(CacheStoreTest, ADatabaseThatCannotBeLoadedIsSetAside) {
  Put(1, "one");
  Reopen();  // the recovery writes the log to files
  store_.reset();
  for (const auto& file : fs::directory_iterator(cache_dir_)) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(3);
    bytes.write("\xff\xff\xff\xff", 4);
  }
  Reopen();
  EXPECT_TRUE(Load().empty());
  ExpectSetAsideAndUsable();
}

// A compaction meets it first: the database writes nothing after that.
TEST_F(CacheStoreTest, ADatabaseWhoseBodiesAreDamagedIsSetAsideAfterAFailedClear) {
  for (int i = 0; i < 20; ++i) Put(i, Noise(static_cast<std::uint64_t>(i), 1000));
  Reopen();  // the recovery writes the log to files, one a family
  store_.reset();
  fs::path largest = FileWith(".sst");
  for (const auto& file : fs::directory_iterator(cache_dir_)) {
    if (file.path().extension() == ".sst" && file.file_size() > fs::file_size(largest)) largest = file.path();
  }
  std::fstream bytes(largest, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(fs::file_size(largest) / 5));
  bytes.write("damaged!", 8);
  bytes.close();
  Reopen();
  EXPECT_EQ(Load().size(), 20u);
  CacheChanges clear;
  clear.clear = true;
  const auto cleared = store_->Write(clear, room_);
  ASSERT_FALSE(cleared);
  EXPECT_EQ(cleared.error().code, ErrorCode::kCorruption);
  EXPECT_NE(cleared.error().message.find("set aside when the broker starts next"), std::string::npos);
  store_.reset();
  ExpectSetAsideAndUsable();
  log_.clear();
  Reopen();
  EXPECT_EQ(Get(1), "again") << "once is enough";
}

TEST_F(CacheStoreTest, OfThoseThatWereSetAsideTheLastTwoAreKept) {
  for (const char* when : {"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"}) {
    fs::create_directory(cache_dir_ + ".damaged-" + when);
  }
  store_.reset();
  std::ofstream(FileWith("MANIFEST-")) << "this is no manifest";
  Reopen();
  std::set<std::string> aside;
  for (const auto& file : fs::directory_iterator(fs::path(cache_dir_).parent_path())) {
    if (file.path().string().find(".damaged-") != std::string::npos) aside.insert(file.path().string());
  }
  EXPECT_EQ(aside.size(), 2u);
  EXPECT_TRUE(aside.contains(cache_dir_ + ".damaged-2026-01-03T00:00:00Z"));
}

TEST_F(CacheStoreTest, AFileInThePlaceOfTheDirectoryIsAnError) {
  std::ofstream(dir_ / "file") << "x";
  EXPECT_FALSE(RocksDbCacheStore::Open(dir_ / "file", {}));
}

TEST_F(CacheStoreTest, ADatabaseThatIsOpenElsewhereIsRefusedNotSetAside) {
  Put(1, "one");
  const auto second = RocksDbCacheStore::Open(cache_dir_, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kRefused);
  EXPECT_EQ(Get(1), "one");
}

}  // namespace
}  // namespace icarus::broker
