// The sweep beside real stores, with short times.
#include "broker/file_sweeper.h"

#include <gtest/gtest.h>

#include "broker/storage/rocksdb_cache_store.h"
#include "common/base/clock.h"
#include "common/transport/poll_loop.h"
#include "tests/support/temp_dir.h"

namespace icarus::broker {
namespace {

constexpr std::chrono::seconds kDeadline{60};

class FileSweeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    files_.emplace(*BlobStore::Open(dir_ / "blobs"));
    JobStoreOptions options;
    options.min_free_bytes = 0;
    jobs_ = *RocksDbJobStore::Open(dir_ / "store", options);
    cache_ = *RocksDbCacheStore::Open(dir_ / "cache", {});
    inbox_ = *LoopInbox::Create();
    loop_.Add(inbox_->fd());
    sweeper_ = std::make_unique<FileSweeper>(*files_, *jobs_, *cache_, *inbox_, copying_,
                                             SweepTimes{200, 20, 100, 1'000'000'000});
  }

  void Store(const std::string& content) {
    ASSERT_TRUE(files_->PutChunk(HashBytes(content), content.size(), 0, content));
    ASSERT_TRUE(files_->Name(HashBytes(content)));
  }
  bool Has(const std::string& content) { return files_->Has(HashBytes(content)); }
  void Cache(const std::string& file, bool there) {
    CacheChanges changes;
    const ContentHash key = HashBytes("entry of " + file);
    CacheEntry entry;
    entry.blobs = {HashBytes(file)};
    if (there) changes.puts[key] = {entry, std::make_shared<const std::string>("value")};
    if (!there) changes.removals.insert(key);
    ASSERT_TRUE(cache_->Write(changes, CacheRoom{0, 500u << 20}));
    ++progress_.changes;
  }
  template <class Condition>
  void RunUntil(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kDeadline;
    while (!condition() && std::chrono::steady_clock::now() < until) {
      sweeper_->Pump(progress_, ReadClocks().monotonic_ms());
      EXPECT_TRUE(loop_.Wait(std::chrono::milliseconds(5)));
      inbox_->RunAll();
    }
    EXPECT_TRUE(condition()) << "the deadline has passed";
  }

  testing::TempDir dir_;
  std::optional<BlobStore> files_;
  std::unique_ptr<RocksDbJobStore> jobs_;
  std::unique_ptr<RocksDbCacheStore> cache_;
  std::unique_ptr<LoopInbox> inbox_;
  PollLoop loop_;
  std::mutex copying_;
  FileSweeper::Progress progress_;
  std::unique_ptr<FileSweeper> sweeper_;
};

TEST_F(FileSweeperTest, AFileGoesSoonAfterTheEntryThatNamesIt) {
  Store("kept");
  Store("evicted");
  Cache("kept", true);
  Cache("evicted", true);
  Store("nobody's");
  RunUntil([&] { return !Has("nobody's"); });
  EXPECT_TRUE(Has("kept") && Has("evicted"));
  Cache("evicted", false);
  RunUntil([&] { return !Has("evicted"); });
  EXPECT_TRUE(Has("kept"));
}

// The last broker may have died between naming a file and writing the record: who sent it tells again.
TEST_F(FileSweeperTest, ABrokerThatHasJustStartedRemovesNothing) {
  sweeper_ = std::make_unique<FileSweeper>(*files_, *jobs_, *cache_, *inbox_, copying_,
                                           SweepTimes{1'000'000, 20, 100, 1'000'000'000});
  Store("file");
  const std::int64_t begin = ReadClocks().monotonic_ms();
  RunUntil([&] {
    ++progress_.changes;
    return ReadClocks().monotonic_ms() > begin + 600;
  });
  EXPECT_TRUE(Has("file"));
}

TEST_F(FileSweeperTest, ItWaitsForWhatWasDecidedAndForABackup) {
  Store("file");
  progress_ = {1, 7, 6};  // the last batch is not on disk
  const std::int64_t begin = ReadClocks().monotonic_ms();
  RunUntil([&] { return ReadClocks().monotonic_ms() > begin + 600; });
  EXPECT_TRUE(Has("file")) << "its record may be in that batch";
  {
    const std::lock_guard copying(copying_);
    progress_.durable = 7;
    const std::int64_t then = ReadClocks().monotonic_ms();
    RunUntil([&] { return ReadClocks().monotonic_ms() > then + 300; });
    EXPECT_TRUE(Has("file"));
  }
  RunUntil([&] { return !Has("file"); });
}

}  // namespace
}  // namespace icarus::broker
