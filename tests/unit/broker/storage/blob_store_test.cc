#include "broker/storage/blob_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/model/limits.h"
#include "tests/support/temp_dir.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

std::string Content(std::size_t bytes) {
  Random random(bytes);
  std::string out;
  while (out.size() < bytes) out.push_back(static_cast<char>(random.Next() & 0xff));
  return out;
}

class BlobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    auto store = BlobStore::Open(blobs_dir_);
    ASSERT_TRUE(store) << store.error().message;
    store_.emplace(std::move(*store));
  }
  // One chunk of the content.
  BlobProgress Put(const std::string& content, std::size_t offset, std::size_t length) {
    const auto put =
        store_->PutChunk(HashBytes(content), content.size(), offset, std::string_view(content).substr(offset, length));
    EXPECT_TRUE(put) << put.error().message;
    return put ? *put : BlobProgress{};
  }
  std::size_t FilesIn(const std::string& dir) const {
    std::size_t files = 0;
    for (const auto& file : fs::recursive_directory_iterator(dir)) files += file.is_regular_file() ? 1u : 0u;
    return files;
  }

  testing::TempDir dir_;
  const std::string blobs_dir_ = dir_ / "blobs";
  std::optional<BlobStore> store_;
};

// As a broker leaves it behind that dies before the file has its name.
TEST_F(BlobStoreTest, AnUploadThatHasAllItsBytesBecomesTheFileWhenItIsAskedFor) {
  const std::string content = Content(1000);
  const ContentHash hash = HashBytes(content);
  std::ofstream(blobs_dir_ + "/tmp/" + hash.Hex()) << content;
  const auto located = store_->Locate(hash, 1000);
  ASSERT_TRUE(located) << located.error().message;
  EXPECT_TRUE(located->complete);
  EXPECT_TRUE(store_->Has(hash));
}

TEST_F(BlobStoreTest, AnUploadWithAllItsBytesTakesTheLastChunkAgain) {
  const std::string content = Content(1000);
  std::ofstream(blobs_dir_ + "/tmp/" + HashBytes(content).Hex()) << content;
  EXPECT_TRUE(Put(content, 500, 500).complete);
}

TEST_F(BlobStoreTest, AnUploadWithOtherBytesBeginsAnew) {
  const std::string content = Content(1000);
  const ContentHash hash = HashBytes(content);
  std::ofstream(blobs_dir_ + "/tmp/" + hash.Hex()) << std::string(1000, 'x');
  const auto located = store_->Locate(hash, 1000);
  ASSERT_TRUE(located) << located.error().message;
  EXPECT_FALSE(located->complete);
  EXPECT_EQ(located->next_offset, 0u);
  EXPECT_TRUE(Put(content, 0, 1000).complete);
}

TEST_F(BlobStoreTest, AFileInOneChunkIsThere) {
  const std::string content = Content(1000);
  const ContentHash hash = HashBytes(content);
  EXPECT_FALSE(store_->Has(hash));
  const BlobProgress progress = Put(content, 0, 1000);
  EXPECT_TRUE(progress.complete);
  EXPECT_EQ(progress.next_offset, 1000u);
  EXPECT_TRUE(store_->Has(hash));
  EXPECT_TRUE(fs::exists(blobs_dir_ + "/" + hash.Hex().substr(0, 2) + "/" + hash.Hex()));
  EXPECT_EQ(FilesIn(blobs_dir_ + "/tmp"), 0u);
  const auto chunk = store_->GetChunk(hash, 0, 4000);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->bytes, content);
  EXPECT_EQ(chunk->size, 1000u);
}

TEST_F(BlobStoreTest, TheEmptyFileIsAFile) {
  EXPECT_TRUE(Put("", 0, 0).complete);
  EXPECT_EQ(store_->GetChunk(HashBytes(""), 0, 10)->bytes, "");
}

TEST_F(BlobStoreTest, AnUploadGoesOnWhereItWasOverARestart) {
  const std::string content = Content(1000);
  EXPECT_EQ(Put(content, 0, 300).next_offset, 300u);
  Reopen();
  const auto resumed = store_->NextOffset(HashBytes(content));
  EXPECT_EQ(resumed->next_offset, 300u);
  EXPECT_FALSE(resumed->complete);
  EXPECT_FALSE(store_->Has(HashBytes(content)));
  EXPECT_EQ(Put(content, 300, 300).next_offset, 600u);
  EXPECT_TRUE(Put(content, 600, 400).complete);
  EXPECT_EQ(store_->GetChunk(HashBytes(content), 0, 1000)->bytes, content);
}

TEST_F(BlobStoreTest, AChunkOutOfPlaceIsNotTakenAndTheAnswerSaysWhereToGoOn) {
  const std::string content = Content(1000);
  EXPECT_EQ(Put(content, 500, 500).next_offset, 0u);
  Put(content, 0, 300);
  EXPECT_EQ(Put(content, 0, 300).next_offset, 300u);
  EXPECT_EQ(Put(content, 600, 400).next_offset, 300u);
  EXPECT_TRUE(Put(content, 300, 700).complete);
  EXPECT_TRUE(Put(content, 300, 700).complete);  // sent again because the answer was lost
  EXPECT_EQ(store_->GetChunk(HashBytes(content), 0, 1000)->bytes, content);
}

TEST_F(BlobStoreTest, AFileWithAnotherContentThanItsNameIsRefusedAndStartsAgain) {
  const std::string content = Content(1000);
  const ContentHash hash = HashBytes(content);
  ASSERT_TRUE(store_->PutChunk(hash, 1000, 0, Content(600)));
  const auto put = store_->PutChunk(hash, 1000, 600, std::string(400, 'x'));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kProtocol);
  EXPECT_FALSE(store_->Has(hash));
  EXPECT_EQ(FilesIn(blobs_dir_), 0u);
  EXPECT_EQ(store_->NextOffset(hash)->next_offset, 0u);
  EXPECT_TRUE(Put(content, 0, 1000).complete);
}

TEST_F(BlobStoreTest, AnUploadBegunWithALargerSizeStartsAgain) {
  const std::string content = Content(1000);
  const ContentHash hash = HashBytes(content);
  ASSERT_TRUE(store_->PutChunk(hash, 5000, 0, Content(2000)));
  EXPECT_TRUE(Put(content, 0, 1000).complete);
}

TEST_F(BlobStoreTest, ImpossibleChunksAreRefused) {
  const ContentHash hash = HashBytes("x");
  const auto code = [&](std::uint64_t size, std::uint64_t offset, std::string_view bytes) {
    const auto put = store_->PutChunk(hash, size, offset, bytes);
    EXPECT_FALSE(put);
    return put ? ErrorCode::kInternal : put.error().code;
  };
  EXPECT_EQ(code(limits::kMaxOutputFileBytes + 1, 0, "x"), ErrorCode::kRefused);
  EXPECT_EQ(code(3, 0, "four"), ErrorCode::kProtocol);
  EXPECT_EQ(code(3, 4, ""), ErrorCode::kProtocol);
  EXPECT_EQ(code(3, ~0ull, "x"), ErrorCode::kProtocol);
  EXPECT_EQ(code(3, 0, ""), ErrorCode::kProtocol);
  EXPECT_EQ(FilesIn(blobs_dir_), 0u);
}

TEST_F(BlobStoreTest, ReadsAreCutAtTheEndAndAtTheChunkLimit) {
  const std::string content = Content(limits::kChunkBytes + 100);
  const ContentHash hash = HashBytes(content);
  Put(content, 0, content.size());
  EXPECT_EQ(store_->GetChunk(hash, 0, content.size())->bytes.size(), limits::kChunkBytes);
  EXPECT_EQ(store_->GetChunk(hash, limits::kChunkBytes, limits::kChunkBytes)->bytes,
            content.substr(limits::kChunkBytes));
  EXPECT_EQ(store_->GetChunk(hash, content.size(), 10)->bytes, "");
  EXPECT_EQ(store_->GetChunk(hash, content.size() + 1, 10).error().code, ErrorCode::kProtocol);
  EXPECT_EQ(store_->GetChunk(HashBytes("other"), 0, 10).error().code, ErrorCode::kNotFound);
}

TEST_F(BlobStoreTest, UnfinishedUploadsAreNotRead) {
  const std::string content = Content(1000);
  Put(content, 0, 300);
  EXPECT_EQ(store_->GetChunk(HashBytes(content), 0, 10).error().code, ErrorCode::kNotFound);
}

TEST_F(BlobStoreTest, RemoveTakesFileAndUpload) {
  const std::string stored = Content(10);
  const std::string half = Content(1000);
  Put(stored, 0, 10);
  Put(half, 0, 300);
  ASSERT_TRUE(store_->Remove(HashBytes(stored)));
  ASSERT_TRUE(store_->Remove(HashBytes(half)));
  ASSERT_TRUE(store_->Remove(HashBytes("never there")));
  EXPECT_EQ(FilesIn(blobs_dir_), 0u);
}

TEST_F(BlobStoreTest, ForEachVisitsTheCompleteFilesAlone) {
  std::map<ContentHash, std::uint64_t> expected;
  for (std::size_t bytes = 1; bytes <= 20; ++bytes) {
    Put(Content(bytes), 0, bytes);
    expected[HashBytes(Content(bytes))] = bytes;
  }
  Put(Content(1000), 0, 300);
  std::ofstream(blobs_dir_ + "/tmp/stray") << "x";
  fs::create_directory(blobs_dir_ + "/zz");
  std::ofstream(blobs_dir_ + "/zz/" + HashBytes("x").Hex()) << "x";
  std::map<ContentHash, std::uint64_t> found;
  const std::int64_t now = ReadClocks().wall_ms;
  ASSERT_TRUE(store_->ForEach([&](const StoredBlob& blob) {
    found[blob.hash] = blob.size;
    EXPECT_NEAR(static_cast<double>(blob.touched_at_ns) / 1e6, static_cast<double>(now), 60e3);
    EXPECT_TRUE(store_->Remove(blob.hash));
  }));
  EXPECT_EQ(found, expected);
  EXPECT_FALSE(store_->Has(HashBytes(Content(1))));
}

TEST_F(BlobStoreTest, OldUploadsAreRemovedAndYoungOnesStay) {
  const std::string old_one = Content(1000);
  const std::string young_one = Content(1001);
  Put(old_one, 0, 300);
  Put(young_one, 0, 300);
  fs::last_write_time(blobs_dir_ + "/tmp/" + HashBytes(old_one).Hex(),
                      fs::file_time_type::clock::now() - std::chrono::hours(48));
  ASSERT_TRUE(store_->RemoveUploadsBefore(ReadClocks().wall_ms - 24 * 3600 * 1000));
  EXPECT_EQ(store_->NextOffset(HashBytes(old_one))->next_offset, 0u);
  EXPECT_EQ(store_->NextOffset(HashBytes(young_one))->next_offset, 300u);
}

}  // namespace
}  // namespace icarus::broker
