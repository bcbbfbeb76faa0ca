// What is found wrong with a store, and that looking changes nothing.
#include "broker/storage/store_verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "broker/storage/blob_store.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/rocksdb_cache_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kFile = "what a task wrote";

PutJob JobOf(std::uint64_t id, std::uint32_t tasks) {
  PutJob put = MakeJob(id);
  put.job.spec.sweep.axes = {{{{"i", *ParseValues("1:" + std::to_string(tasks) + ":1")}}}};
  return put;
}

PutJobStatus Finished(std::uint64_t id, std::uint64_t completed) {
  PutJobStatus put = MakeStatus(id, 99);
  put.status.counts.assign(kTaskStateCount, 0);
  put.status.counts[static_cast<std::size_t>(TaskState::kCompleted)] = completed;
  return put;
}

class StoreVerifyTest : public ::testing::Test {
 protected:
  // Job 7: three tasks, finished; the last has a file. Job 8: two tasks, one done, one at a worker.
  void SetUp() override {
    auto blobs = BlobStore::Open(places_.blobs);
    ASSERT_TRUE(blobs && blobs->PutChunk(HashBytes(kFile), kFile.size(), 0, kFile)->complete);
    const auto store = OpenStore(places_.store);
    ASSERT_NE(store, nullptr);
    PutTask with_file = MakeTask(7, 2, MakeBody("two"));
    with_file.record.blobs = {HashBytes(kFile)};
    PutDispatch dispatch = MakeDispatch(3);
    dispatch.dispatch.tasks = {{ExecutionId(1), Token(3), JobId(8), 1}};
    ASSERT_TRUE(store->Commit({1, 0, {JobOf(7, 3), JobOf(8, 2), PutSetting{"a", "1"}}}));
    ASSERT_TRUE(store->Commit({2, 0, {MakeTask(7, 0, MakeBody("zero")), MakeTask(7, 1, MakeBody("one")), with_file}}));
    ASSERT_TRUE(store->Commit({3, 0, {Finished(7, 3), MakeTask(8, 0, MakeBody("x")), dispatch}}));
  }
  VerifyReport Verify() const {
    const auto before = Snapshot(dir_.path());
    const auto report = VerifyStore(places_);
    EXPECT_TRUE(Snapshot(dir_.path()) == before) << "looking changed the store";
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : VerifyReport();
  }
  void Change(const std::function<void(rocksdb::DB&)>& change) const { ChangeDatabase(places_.store, change); }
  void FlipBitOf(const std::string& key) const { broker::FlipBitOf(places_.store, key); }
  void Remove(const std::string& key) const { RemoveRecord(places_.store, key); }

  testing::TempDir dir_;
  const StorePlaces places_{dir_.path(), dir_ / "store", dir_ / "blobs", dir_ / "cache"};
};

TEST_F(StoreVerifyTest, AWholeStoreHasNoFindings) {
  const VerifyReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ((std::array{report.jobs, report.tasks, report.bodies, report.blobs, report.sequence, report.epoch}),
            (std::array<std::uint64_t, 6>{2, 4, 4, 1, 3, 1}));
}

TEST_F(StoreVerifyTest, EveryDamagedRecordIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {MetaKey(), "the store's description: its checksum does not match"},
      {SettingKey("a"), "the setting 'a': its checksum does not match"},
      {JobKey(JobId(8)), "the record of job 8: its checksum does not match"},
      {StatusKey(JobId(7)), "the status of job 7: its checksum does not match"},
      {TaskKey({JobId(7), 1}), "the record of task 7.1: its checksum does not match"},
      {DispatchKey(3), "the record of dispatch 3: its checksum does not match"},
      {BodyKey({JobId(7), 0}), "the result of task 7.0: its checksum does not match"}};
  for (const auto& [key, finding] : cases) {
    FlipBitOf(key);
    EXPECT_THAT(Verify().findings, ::testing::Contains(finding));
    FlipBitOf(key);
  }
  EXPECT_THAT(Verify().findings, IsEmpty());
}

TEST_F(StoreVerifyTest, WhatIsMissingIsNamed) {
  Remove(TaskKey({JobId(7), 1}));
  EXPECT_THAT(Verify().findings, ElementsAre("the status of job 7: it counts 3 tasks completed, but there are 2"));
  Remove(BodyKey({JobId(7), 0}));
  EXPECT_THAT(Verify().findings, ::testing::Contains("the result of task 7.0: it is missing"));
  Remove(JobKey(JobId(8)));
  EXPECT_THAT(Verify().findings,
              ::testing::IsSupersetOf({"the record of job 8 is missing, and others belong to it",
                                       "the record of dispatch 3: there is no task 8.1, which it names"}));
}

TEST_F(StoreVerifyTest, FilesAreReadAndMissed) {
  const std::string path = BlobStore::Existing(places_.blobs).PathOf(HashBytes(kFile));
  const std::string told =
      "task 7.2 has an output in the file " + HashBytes(kFile).Hex() + ", which is missing or damaged";
  WriteAll(path, "What a task wrote");
  EXPECT_THAT(Verify().findings, ElementsAre("the file " + path + " has another content than its name says", told));
  fs::remove(path);
  EXPECT_THAT(Verify().findings, ElementsAre(told));
}

TEST_F(StoreVerifyTest, FilesOfTheDatabaseAreNamedWithWhatTheyCost) {
  { ASSERT_NE(OpenStore(places_.store), nullptr); }  // everything is in a table now
  std::string table = ReadAll(FileLike(places_.store, "", ".sst"));
  table[table.size() / 8] = static_cast<char>(table[table.size() / 8] ^ 1);
  WriteAll(FileLike(places_.store, "", ".sst"), table);
  const auto findings = Verify().findings;
  EXPECT_THAT(findings, ::testing::Contains(HasSubstr("the table ")));
  EXPECT_THAT(findings, ::testing::Contains(HasSubstr("cannot be read: Corruption")));
}

TEST_F(StoreVerifyTest, AStoreThatABrokerWouldRefuseHasThatFinding) {
  const fs::path log = FileLike(places_.store, "", ".log");
  fs::resize_file(log, fs::file_size(log) - 10);
  EXPECT_THAT(Verify().findings, ::testing::Contains(HasSubstr("batch 3 (start 1) was on disk and acknowledged")));
  fs::remove(places_.store + "/CURRENT");
  EXPECT_THAT(Verify().findings, ::testing::Contains("its file CURRENT is missing"));
}

TEST_F(StoreVerifyTest, ATornTailIsANote) {
  const fs::path log = FileLike(places_.store, "", ".log");
  WriteAll(log, ReadAll(log) + "garbage");
  const VerifyReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("a torn tail")));
}

TEST_F(StoreVerifyTest, DamageOfTheCacheIsANote) {
  const ContentHash key = HashBytes("key");
  {
    const auto cache = RocksDbCacheStore::Open(places_.cache, {});
    CacheChanges changes;
    changes.puts[key] = {CacheEntry(), std::make_shared<const std::string>(9000, 'v')};
    ASSERT_TRUE(cache && (*cache)->Write(changes, {9000, 500u << 20}));
  }
  EXPECT_EQ(Verify().cache_entries, 1u);
  EXPECT_THAT(Verify().notes, IsEmpty());
  WriteAll(places_.cache + "/CURRENT", "nonsense");
  const VerifyReport report = Verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("the cache cannot be opened")));
}

TEST_F(StoreVerifyTest, AServedStoreIsLeftAlone) {
  const auto store = OpenStore(places_.store);
  const auto report = VerifyStore(places_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(store->Commit({4, 0, {}}));
}

TEST_F(StoreVerifyTest, AHomeWithoutAStoreIsToldFromAnEmptyOne) {
  EXPECT_EQ(VerifyStore({dir_.path(), dir_ / "none", dir_ / "none", ""}).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(dir_ / "none"));
}

// A table of the database is read in blocks: damage costs one of them, not what lies behind.
TEST(RecordScan, ReadsOnBehindDamage) {
  const testing::TempDir dir;
  const std::string store_dir = dir / "store";
  FillStore(store_dir, 60, 60, 5000);
  { ASSERT_NE(OpenStore(store_dir), nullptr); }
  const fs::path table = FileLike(store_dir, "", ".sst");
  std::string content = ReadAll(table);
  for (const std::size_t eighth : {std::size_t{2}, std::size_t{5}}) {
    const std::size_t at = content.size() / 8 * eighth;
    content[at] = static_cast<char>(content[at] ^ 1);
  }
  WriteAll(table, content);
  const auto report = VerifyStore({dir.path(), store_dir, dir / "blobs", ""});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->jobs, 60u);
  EXPECT_EQ(report->tasks, 60u);
  EXPECT_EQ(report->bodies, 58u) << ::testing::PrintToString(report->findings);
}

}  // namespace
}  // namespace icarus::broker
