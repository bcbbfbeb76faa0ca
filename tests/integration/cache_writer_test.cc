// The cache's writer on a real store, whose writes a test holds up or lets fail.
#include "broker/cache_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <random>
#include <set>

#include "broker/storage/rocksdb_cache_store.h"
#include "common/transport/poll_loop.h"
#include "tests/support/temp_dir.h"

namespace icarus::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kDeadline = std::chrono::seconds(30);

ContentHash Key(std::uint64_t number) { return HashBytes(std::to_string(number)); }

// Passes everything on to a real store.
class HeldStore final : public CacheStore {
 public:
  explicit HeldStore(CacheStore& store) : store_(store) {}

  void Hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void FailWith(std::string why) {
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
  }

  Status Load(const std::function<void(const ContentHash&, CacheEntry)>& visit) override { return store_.Load(visit); }
  Result<CacheWritten> Write(const CacheChanges& changes, const CacheRoom& room) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    if (!why_.empty()) return Error{ErrorCode::kOverloaded, why_, {}, 1.0};
    return store_.Write(changes, room);
  }
  void SetMemory(CacheMemory memory) override { store_.SetMemory(memory); }
  CacheReleased ReleaseMemory() override { return store_.ReleaseMemory(); }
  std::uint64_t DiskBytes() override { return store_.DiskBytes(); }
  Result<std::optional<std::string>> Get(const ContentHash& key) override {
    const std::lock_guard lock(mutex_);
    if (!why_.empty()) return Error::Make(ErrorCode::kIo, why_);
    return store_.Get(key);
  }
  Result<std::optional<CacheEntry>> Find(const ContentHash& key) override { return store_.Find(key); }
  Status Scan(const std::optional<ContentHash>& after,
              const std::function<bool(const ContentHash&, CacheEntry)>& visit) override {
    return store_.Scan(after, visit);
  }

 private:
  CacheStore& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::string why_;
};

class CacheWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = RocksDbCacheStore::Open(directory_.path(), {});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    held_ = std::make_unique<HeldStore>(*store_);
    inbox_ = *LoopInbox::Create();
    CacheWriter::Callbacks callbacks;
    callbacks.name_file = [this](const ContentHash& file) { return files_.contains(file); };
    callbacks.on_read = [this](const ContentHash& key, CacheReadEnd end, const Body& body) {
      read_[key] = body;
      ends_.insert(end);
      if (end == CacheReadEnd::kDamaged) damaged_.insert(key);
    };
    callbacks.on_puts_lost = [this](const auto& keys) { lost_.insert(keys.begin(), keys.end()); };
    callbacks.on_state = [this](const std::string& why) { states_.push_back(why); };
    callbacks.room = [] { return CacheRoom{0, 500u << 20}; };
    writer_ = std::make_unique<CacheWriter>(*held_, *inbox_, callbacks);
    loop_.Add(inbox_->fd());
  }
  void TearDown() override {
    held_->Hold(false);
    writer_.reset();
  }

  void Put(std::uint64_t number, const std::string& value, bool replaces = false) {
    CacheEntry entry;
    entry.size_bytes = value.size();
    writer_->Put(Key(number), {entry, std::make_shared<const std::string>(value)}, replaces);
  }
  // Turns of the loop at this clock until everything decided has been tried.
  Status Settle(std::int64_t clock_ms) {
    std::optional<Status> tried;
    writer_->AfterWriting([&](const Status& status) { tried = status; });
    RunUntil(clock_ms, [&] { return tried.has_value(); });
    RunUntil(clock_ms, [&] { return inbox_->RunAll() == 0; });
    return tried.value_or(Error::Make(ErrorCode::kInternal, "nothing came back"));
  }
  template <class Condition>
  void RunUntil(std::int64_t clock_ms, Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < until) {
      writer_->Pump(clock_ms);
      inbox_->RunAll();
      if (condition()) return;
      EXPECT_TRUE(loop_.Wait(std::chrono::milliseconds(100)));
    }
    ADD_FAILURE() << "the deadline has passed";
  }
  CacheReleased Release() {
    std::optional<CacheReleased> released;
    writer_->ReleaseMemory(true, [&](const CacheReleased& told) { released = told; });
    RunUntil(0, [&] { return released.has_value(); });
    return released.value_or(CacheReleased{});
  }
  // Bytes that cannot be compressed, the same for the same seed.
  static std::string Noise(std::uint64_t seed, std::size_t size) {
    std::mt19937_64 random(seed);
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    return noise;
  }
  std::optional<std::string> Stored(std::uint64_t number) { return store_->Get(Key(number)).value_or("an error"); }

  testing::TempDir directory_;
  PollLoop loop_;
  std::unique_ptr<RocksDbCacheStore> store_;
  std::unique_ptr<HeldStore> held_;
  std::unique_ptr<LoopInbox> inbox_;
  std::map<ContentHash, Body> read_;
  std::set<ContentHash> damaged_;
  std::set<CacheReadEnd> ends_;
  std::set<ContentHash> files_;  // that are there
  std::set<ContentHash> lost_;
  std::vector<std::string> states_;
  std::unique_ptr<CacheWriter> writer_;
};

TEST_F(CacheWriterTest, AValueWhoseFileIsGoneIsDamaged) {
  files_ = {HashBytes("here")};
  Put(1, "one");
  Put(2, "two");
  ASSERT_TRUE(Settle(0));
  Put(3, "three");  // not written yet
  writer_->Read(Key(1), {HashBytes("here")});
  writer_->Read(Key(2), {HashBytes("here"), HashBytes("gone")});
  writer_->Read(Key(3), {HashBytes("gone")});
  RunUntil(0, [&] { return read_.size() == 3; });
  EXPECT_TRUE(read_[Key(1)]);
  EXPECT_FALSE(read_[Key(2)] || read_[Key(3)]);
  EXPECT_EQ(damaged_, (std::set<ContentHash>{Key(2), Key(3)}));
  held_->FailWith("too many open files");
  writer_->Read(Key(1), {});
  RunUntil(0, [&] { return ends_.contains(CacheReadEnd::kFailed); });
  EXPECT_FALSE(damaged_.contains(Key(1)));
}

TEST_F(CacheWriterTest, DuringAPauseItRestsAndSaysThatNothingWasTried) {
  held_->FailWith("full");
  Put(1, "one");
  EXPECT_FALSE(Settle(0));
  writer_->Remove({Key(2)});
  const std::uint64_t batches = writer_->batches();
  for (int i = 0; i < 100; ++i) {
    writer_->Pump(1);
    inbox_->RunAll();
  }
  EXPECT_EQ(writer_->batches(), batches) << "nothing can be written, so nothing is begun";
  EXPECT_FALSE(writer_->has_unwritten());
  const Status told = Settle(1);
  ASSERT_FALSE(told) << "the removal is not on the disk";
  EXPECT_EQ(told.error().message, "full");
  held_->FailWith("");
  EXPECT_TRUE(Settle(20'000));
}

TEST_F(CacheWriterTest, WhatIsStillBeingWrittenIsFoundByAReader) {
  held_->Hold(true);
  Put(1, "one");
  writer_->Pump(0);
  Put(2, "two");
  writer_->Read(Key(1), {});
  writer_->Read(Key(2), {});
  RunUntil(0, [&] { return read_.size() == 2; });
  EXPECT_EQ(*read_[Key(1)], "one");
  EXPECT_EQ(*read_[Key(2)], "two");
  EXPECT_TRUE(writer_->has_unwritten());
  held_->Hold(false);
  EXPECT_TRUE(Settle(0));
  EXPECT_EQ(Stored(1), "one");
  EXPECT_EQ(Stored(2), "two");
  EXPECT_FALSE(writer_->has_unwritten());
}

TEST_F(CacheWriterTest, OfAKeyTheLastChangeCounts) {
  held_->Hold(true);
  Put(0, "holds the thread");
  writer_->Pump(0);
  Put(1, "one");
  writer_->Remove({Key(1)});
  Put(2, "two");
  writer_->Clear();
  Put(3, "three");
  writer_->Use(Key(3), 99);
  held_->Hold(false);
  EXPECT_TRUE(Settle(0));
  EXPECT_EQ(Stored(0), std::nullopt);
  EXPECT_EQ(Stored(1), std::nullopt);
  EXPECT_EQ(Stored(2), std::nullopt);
  EXPECT_EQ(Stored(3), "three");
  EXPECT_EQ((*store_->Find(Key(3)))->last_used, 99u);
}

TEST_F(CacheWriterTest, AFailedPutIsToldAndGoneAndTheCachePausesAndSaysWhy) {
  Put(1, "old");
  EXPECT_TRUE(Settle(0));
  held_->FailWith("the disk is full");
  Put(1, "new", /*replaces=*/true);
  EXPECT_FALSE(Settle(1000));
  EXPECT_THAT(lost_, ElementsAre(Key(1)));
  EXPECT_THAT(states_, ElementsAre(HasSubstr("disk is full")));
  EXPECT_EQ(writer_->DueMs(), 11'000) << "the loop comes back to it by itself";
  held_->FailWith("");
  Put(2, "while it pauses");
  EXPECT_FALSE(Settle(2000)) << "nothing is tried";
  EXPECT_EQ(lost_.count(Key(2)), 1u);
  EXPECT_EQ(Stored(1), "old") << "not yet";
  EXPECT_TRUE(Settle(11'000));
  EXPECT_EQ(Stored(1), std::nullopt) << "the old value must not come back at the next start";
  Put(3, "again");
  EXPECT_TRUE(Settle(11'001));
  EXPECT_EQ(Stored(3), "again");
  EXPECT_THAT(states_, ElementsAre(HasSubstr("disk is full"), ""));
}

TEST_F(CacheWriterTest, RemovalsAreNeverDroppedAndEveryPutIsThereOrTold) {
  constexpr std::uint64_t kMany = 60'000;
  for (std::uint64_t key = 0; key < 1000; ++key) Put(key, "old");
  EXPECT_TRUE(Settle(0));
  held_->Hold(true);
  Put(0, "holds the thread");
  writer_->Pump(0);
  for (std::uint64_t key = 1000; key < kMany; ++key) Put(key, "new");
  for (std::uint64_t key = 0; key < 1000; ++key) writer_->Remove({Key(key)});
  held_->Hold(false);
  EXPECT_TRUE(Settle(0));
  EXPECT_GT(lost_.size(), 0u);
  for (std::uint64_t key = 0; key < 1000; ++key) ASSERT_EQ(Stored(key), std::nullopt);
  for (std::uint64_t key = 1000; key < kMany; ++key) ASSERT_EQ(Stored(key).has_value(), !lost_.contains(Key(key)));
}

TEST_F(CacheWriterTest, WorkSeesWhatWasDecidedBeforeAndGoesOnWhileTheCachePauses) {
  std::optional<std::string> seen;
  bool done = false;
  Put(1, "one");
  ASSERT_TRUE(writer_->Post([&](CacheStore& store) {
    const auto value = store.Get(Key(1));
    inbox_->Post([&, value] { seen = *value; });
  }));
  RunUntil(0, [&] { return seen.has_value(); });
  EXPECT_EQ(seen, "one");
  held_->FailWith("the disk is full");
  Put(2, "two");
  EXPECT_FALSE(Settle(0));
  ASSERT_TRUE(writer_->Post([&](CacheStore&) { inbox_->Post([&] { done = true; }); }));
  RunUntil(1, [&] { return done; });
}

TEST_F(CacheWriterTest, ReleasedMemoryIsNoMoreThanWasFreedAndTheValuesStay) {
  for (std::uint64_t key = 0; key < 64; ++key) Put(key, Noise(key, 64 << 10));
  EXPECT_TRUE(Settle(0));
  const std::uint64_t before = store_->MemoryBytes();
  EXPECT_GT(before, 1u << 20);
  const CacheReleased released = Release();
  EXPECT_LT(store_->MemoryBytes(), 1u << 20);
  EXPECT_LE(released.bytes, before - store_->MemoryBytes());
  for (std::uint64_t key = 0; key < 64; ++key) ASSERT_EQ(Stored(key), Noise(key, 64 << 10));
  EXPECT_GT(Release().blocks, 0u) << "those that were read just now";
}

TEST_F(CacheWriterTest, AClearingAlsoOnAFullDiskTellsWhatTheDiskGotBack) {
  for (std::uint64_t key = 0; key < 64; ++key) Put(key, Noise(key, 256 << 10));
  EXPECT_TRUE(Settle(0));
  const std::uint64_t before = store_->DiskBytes();
  EXPECT_GT(before, 8u << 20);
  held_->FailWith("the disk is full");
  Put(99, "lost");
  EXPECT_FALSE(Settle(0));
  held_->FailWith("");
  writer_->Clear();  // although it rests
  const CacheReleased released = Release();
  EXPECT_GT(released.bytes, 8u << 20);
  const auto freed = [&] { return before - std::min(before, store_->DiskBytes()); };
  RunUntil(0, [&] { return freed() + (1u << 20) >= released.bytes; });
}

}  // namespace
}  // namespace icarus::broker
