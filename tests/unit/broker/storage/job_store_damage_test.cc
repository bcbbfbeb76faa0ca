// What the job store says of a database that is in use, foreign or damaged, and of a full disk.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_job_store.h"
#include "common/base/files.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

class JobStoreDamageTest : public ::testing::Test {
 protected:
  // A closed store with one job of three tasks, in four batches.
  void SetUp() override {
    const auto store = OpenStore(store_dir_);
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->Commit({1, 0, {MakeJob(7), MakeStatus(7, 0), MakeDispatch(3), PutSetting{"a", "1"}}}));
    for (TaskIndex i = 0; i < 3; ++i) {
      ASSERT_TRUE(store->Commit({2 + i, 0, {MakeTask(7, i, MakeBody(std::string(500, 'x')))}}));
    }
  }

  void WithDatabase(const std::function<void(rocksdb::DB&)>& change) const { ChangeDatabase(store_dir_, change); }
  void FlipBitOf(const std::string& key) const { broker::FlipBitOf(store_dir_, key); }
  void Remove(const std::string& key) const { RemoveRecord(store_dir_, key); }
  Error OpenError() const {
    const auto store = RocksDbJobStore::Open(store_dir_, {});
    EXPECT_FALSE(store) << "the store opened";
    return store ? Error() : store.error();
  }
  Error LoadError() const {
    const auto store = OpenStore(store_dir_);
    if (store == nullptr) return {};
    std::vector<std::string> lines;
    const Status loaded = store->Load(TraceTo(lines));
    EXPECT_FALSE(loaded) << "the store loaded";
    return loaded ? Error() : loaded.error();
  }
  fs::path WriteAheadLog() const {
    fs::path found;
    std::uintmax_t size = 0;
    for (const auto& file : fs::directory_iterator(store_dir_)) {
      if (file.path().extension() != ".log" || file.file_size() < size) continue;
      found = file.path();
      size = file.file_size();
    }
    return found;
  }

  testing::TempDir dir_;
  const std::string store_dir_ = dir_ / "store";
};

void ExpectSays(const Error& error, ErrorCode code, const std::string& part) {
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
}

TEST_F(JobStoreDamageTest, ASecondOpenerIsRefusedAndTheFirstUnharmed) {
  const auto first = OpenStore(store_dir_);
  const auto second = RocksDbJobStore::Open(store_dir_, {.home = "/home/ada/icarus", .log = {}});
  ASSERT_FALSE(second);
  ExpectSays(second.error(), ErrorCode::kRefused, "home /home/ada/icarus is already served by another broker");
  EXPECT_TRUE(first->Commit({5, 0, {MakeTask(7, 3)}}));
  EXPECT_EQ(LoadLines(*first).back(), "dispatch 3");
}

TEST_F(JobStoreDamageTest, EveryDamagedRecordIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases{{SettingKey("a"), "the setting 'a'"},
                                                               {JobKey(JobId(7)), "the record of job 7"},
                                                               {StatusKey(JobId(7)), "the status of job 7"},
                                                               {TaskKey({JobId(7), 2}), "the record of task 7.2"},
                                                               {DispatchKey(3), "the record of dispatch 3"}};
  for (const auto& [key, name] : cases) {
    FlipBitOf(key);
    const Error error = LoadError();
    ExpectSays(error, ErrorCode::kCorruption, name + ": its checksum does not match");
    ExpectSays(error, ErrorCode::kCorruption, store_dir_);
    FlipBitOf(key);
  }
  EXPECT_EQ(LoadLines(*OpenStore(store_dir_)).size(), 8u);
}

TEST_F(JobStoreDamageTest, ADamagedTaskOrBodyIsFoundWhenRead) {
  FlipBitOf(TaskKey({JobId(7), 0}));
  FlipBitOf(BodyKey({JobId(7), 1}));
  Remove(BodyKey({JobId(7), 2}));
  const auto store = OpenStore(store_dir_);
  ExpectSays(store->ReadTasks(JobId(7), {0}, false).error(), ErrorCode::kCorruption, "the record of task 7.0");
  ExpectSays(store->ReadTasks(JobId(7), {1}, true).error(), ErrorCode::kCorruption, "the result of task 7.1");
  ExpectSays(store->ReadTasks(JobId(7), {2}, true).error(), ErrorCode::kCorruption,
             "the result of task 7.2: it is missing");
  EXPECT_TRUE(store->ReadTasks(JobId(7), {1}, false));
}

TEST_F(JobStoreDamageTest, TasksWithoutTheirJobAreDamage) {
  Remove(JobKey(JobId(7)));
  ExpectSays(LoadError(), ErrorCode::kCorruption, "the record of its job is missing");
}

TEST_F(JobStoreDamageTest, ADeletedJobLeavesNothingBehind) {
  ASSERT_TRUE(OpenStore(store_dir_)->Commit({5, 0, {DeleteJob{JobId(7)}}}));
  std::vector<std::string> left;
  WithDatabase([&left](rocksdb::DB& db) {
    const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(rocksdb::ReadOptions()));
    for (it->SeekToFirst(); it->Valid(); it->Next()) left.push_back(it->key().ToString());
  });
  EXPECT_EQ(left, (std::vector<std::string>{MetaKey(), SettingKey("a"), DispatchKey(3)}));
}

TEST_F(JobStoreDamageTest, AForeignKeyIsDamage) {
  WithDatabase([](rocksdb::DB& db) { ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), "\x03zz", "x").ok()); });
  ExpectSays(LoadError(), ErrorCode::kCorruption, "the unknown key 037a7a");
}

TEST_F(JobStoreDamageTest, AStoreWithoutItsDescriptionIsNotTakenForANewOne) {
  Remove(MetaKey());
  ExpectSays(OpenError(), ErrorCode::kCorruption, "the store's description is missing");
}

TEST_F(JobStoreDamageTest, AnotherSchemaIsRefused) {
  WithDatabase([](rocksdb::DB& db) {
    const StoreMeta newer{kStoreSchema + 1, "lineage", 1, 4, 0, 0, {}};
    ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), MetaKey(), EncodeRecord(MetaKey(), newer)).ok());
  });
  ExpectSays(OpenError(), ErrorCode::kRefused, "schema " + std::to_string(kStoreSchema + 1));
}

TEST_F(JobStoreDamageTest, AStoreOfAnOlderSchemaIsReadAndIsOfThisOneFromThenOn) {
  WithDatabase([](rocksdb::DB& db) {
    std::string stored;
    ASSERT_TRUE(db.Get(rocksdb::ReadOptions(), MetaKey(), &stored).ok());
    auto meta = DecodeRecord<StoreMeta>(MetaKey(), stored);
    ASSERT_TRUE(meta);
    meta->schema = kOldestStoreSchema;
    ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), MetaKey(), EncodeRecord(MetaKey(), *meta)).ok());
  });
  EXPECT_EQ(OpenStore(store_dir_)->meta().schema, kStoreSchema);
  WithDatabase([](rocksdb::DB& db) {
    std::string stored;
    ASSERT_TRUE(db.Get(rocksdb::ReadOptions(), MetaKey(), &stored).ok());
    EXPECT_EQ(DecodeRecord<StoreMeta>(MetaKey(), stored)->schema, kStoreSchema);
  });
}

TEST_F(JobStoreDamageTest, AFlippedByteInTheMiddleOfTheLogIsRefused) {
  fs::remove(store_dir_ + "/highwater");  // RocksDB alone is to find it
  const fs::path log = WriteAheadLog();
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(log) / 2);
  file.seekg(middle);
  const auto byte = static_cast<char>(file.get());
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 0x40));
  file.close();
  ExpectSays(OpenError(), ErrorCode::kCorruption, store_dir_);
}

TEST_F(JobStoreDamageTest, ALogThatEndsTooEarlyIsRefused) {
  const fs::path log = WriteAheadLog();
  fs::resize_file(log, fs::file_size(log) / 2);
  ExpectSays(OpenError(), ErrorCode::kCorruption, "but batch 4 (start 1) was on disk and acknowledged");
}

TEST_F(JobStoreDamageTest, AnEmptiedStoreIsRefused) {
  for (const auto& file : fs::directory_iterator(store_dir_)) {
    if (file.path().filename() != "highwater") fs::remove(file.path());
  }
  ExpectSays(OpenError(), ErrorCode::kCorruption, "it ends at batch 0");
}

TEST_F(JobStoreDamageTest, AStoreWithoutCurrentIsNotReplacedByANewOne) {
  fs::remove(fs::path(store_dir_) / "CURRENT");
  ExpectSays(OpenError(), ErrorCode::kCorruption, "CURRENT is missing");
}

TEST_F(JobStoreDamageTest, ADamagedHighWaterMarkIsNoReasonToRefuse) {
  std::ofstream(store_dir_ + "/highwater") << "nonsense";
  EXPECT_EQ(OpenStore(store_dir_)->meta().sequence, 4u);
}

TEST_F(JobStoreDamageTest, AFileInThePlaceOfTheDirectoryIsAnError) {
  const std::string path = dir_ / "file";
  std::ofstream(path) << "x";
  const auto store = RocksDbJobStore::Open(path, {});
  ASSERT_FALSE(store);
  ExpectSays(store.error(), ErrorCode::kIo, path);
}

TEST_F(JobStoreDamageTest, TooLittleFreeSpaceIsOverloadAndChangesNothing) {
  JobStoreOptions options;
  options.min_free_bytes = std::numeric_limits<std::uint64_t>::max();
  const auto store = RocksDbJobStore::Open(store_dir_, options);
  ASSERT_FALSE(store);
  ExpectSays(store.error(), ErrorCode::kOverloaded, "are free where the job store lies");
  EXPECT_TRUE(store.error().retry_after_s);
  EXPECT_EQ(OpenStore(store_dir_)->epoch(), 2u);
}

}  // namespace
}  // namespace icarus::broker
