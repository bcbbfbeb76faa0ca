// Backups, of a store that is written meanwhile and of one at rest, and the stores that are made of them.
#include "broker/storage/store_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/storage/blob_store.h"
#include "broker/storage/store_salvage.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class StoreBackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    FillStore(places_.store, 10, 20, 1000);
    auto blobs = BlobStore::Open(places_.blobs);
    ASSERT_TRUE(blobs && blobs->PutChunk(HashBytes("bytes"), 5, 0, "bytes")->complete);
  }
  BackupNote BackUp() const {
    const auto note = BackUpStore(places_, backup_);
    EXPECT_TRUE(note) << note.error().message;
    return note ? *note : BackupNote();
  }
  void ExpectRestored(std::uint64_t batches) const {
    const auto restored = RestoreStore(other_, backup_);
    ASSERT_TRUE(restored) << restored.error().message;
    const auto store = OpenStore(other_.store);
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->meta().sequence, batches);
    for (std::uint64_t n = 1; n <= batches; ++n) {
      const auto tasks = store->ReadTasks(JobId(n), {0}, true);
      ASSERT_TRUE(tasks && tasks->at(0)) << n;
      EXPECT_EQ(*tasks->at(0)->body, Noise(n, 1000));
    }
    EXPECT_TRUE(*BlobStore::Existing(other_.blobs).IsWhole(HashBytes("bytes")));
    EXPECT_TRUE(store->Commit({batches + 1, 0, {MakeJob(batches + 1)}}));
  }

  testing::TempDir dir_;
  const StorePlaces places_{dir_ / "home", dir_ / "home/store", dir_ / "home/blobs", ""};
  const StorePlaces other_{dir_ / "other", dir_ / "other/store", dir_ / "other/blobs", ""};
  const std::string backup_ = dir_ / "backup";
};

TEST_F(StoreBackupTest, AStoreAtRestIsCopiedAsItIs) {
  const auto before = Snapshot(places_.home);
  const BackupNote note = BackUp();
  EXPECT_TRUE(Snapshot(places_.home) == before);
  EXPECT_EQ((std::array{note.epoch, note.sequence, note.blobs}), (std::array<std::uint64_t, 3>{2, 20, 1}));
  EXPECT_EQ(*ReadBackupNote(backup_), note);
  ExpectRestored(20);
}

TEST_F(StoreBackupTest, AStoreThatIsWrittenIsCopiedAsFarAsItWas) {
  const auto store = OpenStore(places_.store);
  ASSERT_TRUE(store->Commit({21, 0, {MakeJob(21), MakeTask(21, 0, MakeBody(Noise(21, 1000)))}}));
  const auto note = store->BackUp(places_.blobs, backup_);
  ASSERT_TRUE(note) << note.error().message;
  EXPECT_EQ(note->sequence, 21u);
  ASSERT_TRUE(store->Commit({22, 0, {MakeJob(22)}}));
  ExpectRestored(21);
}

TEST_F(StoreBackupTest, TheRestoredStoreIsAnotherOne) {
  const BackupNote note = BackUp();
  ASSERT_TRUE(RestoreStore(other_, backup_));
  const auto store = OpenStore(other_.store);
  EXPECT_NE(store->meta().lineage, note.lineage);
  EXPECT_EQ(store->epoch(), note.epoch + kEpochLeap + 1);
  EXPECT_EQ(OpenStore(places_.store)->meta().lineage, note.lineage);
}

TEST_F(StoreBackupTest, WhatIsThereIsNotOverwritten) {
  BackUp();
  EXPECT_EQ(BackUpStore(places_, backup_).error().code, ErrorCode::kRefused);
  EXPECT_EQ(RestoreStore(places_, backup_).error().code, ErrorCode::kRefused);
}

TEST_F(StoreBackupTest, AnIncompleteBackupIsNotRestored) {
  BackUp();
  fs::remove(backup_ + "/backup");
  EXPECT_EQ(RestoreStore(other_, backup_).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(other_.store));
}

TEST_F(StoreBackupTest, ADamagedBackupIsNotRestored) {
  BackUp();
  const fs::path log = FileLike(backup_ + "/store", "", ".log");
  std::string content = ReadAll(log);
  content[content.size() / 2] ^= 1;
  WriteAll(log, content);
  const auto restored = RestoreStore(other_, backup_);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(restored.error().message, HasSubstr(".log cannot be read at byte"));
  EXPECT_FALSE(fs::exists(other_.store));
  WriteAll(backup_ + "/backup", "icarus backup 1\n");
  EXPECT_EQ(RestoreStore(other_, backup_).error().code, ErrorCode::kCorruption);
}

TEST_F(StoreBackupTest, ADamagedStoreIsNotBackedUp) {
  const fs::path log = FileLike(places_.store, "", ".log");
  fs::resize_file(log, fs::file_size(log) / 2);
  EXPECT_EQ(BackUpStore(places_, backup_).error().code, ErrorCode::kCorruption);
  EXPECT_FALSE(fs::exists(backup_));
}

TEST_F(StoreBackupTest, AHalfRestoredStoreIsNone) {
  BackUp();
  fs::create_directories(other_.store + ".restoring");
  WriteAll(other_.store + ".restoring/CURRENT", "half");
  ExpectRestored(20);
  EXPECT_FALSE(fs::exists(other_.store + ".restoring"));
}

}  // namespace
}  // namespace icarus::broker
