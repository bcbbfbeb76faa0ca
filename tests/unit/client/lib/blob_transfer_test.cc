#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <mutex>

#include "client/lib/client.h"
#include "common/model/limits.h"
#include "tests/unit/client/lib/fake_broker.h"
#include "tests/unit/client/temp_directory.h"

namespace icarus::client {
namespace {

// Keeps one file as the broker would: bytes are taken in order, others are answered with where it is.
class FakeStore {
 public:
  std::vector<Message> operator()(const Message& message) {
    if (const auto* put = message.payload.get_if<BlobPut>()) return {Message{0, Put(*put, message.bodies), {}}};
    if (const auto* get = message.payload.get_if<BlobGet>()) return {Get(*get)};
    return {};
  }

  std::string content;
  int skip_chunks = 0;  // that are lost, as by a restart of the broker
  bool damage = false;

 private:
  BlobPutReply Put(const BlobPut& put, const std::vector<Body>& bodies) {
    if (!bodies.empty() && skip_chunks > 0) {
      --skip_chunks;
    } else if (!bodies.empty() && put.offset == content.size()) {
      content += *bodies[0];
    }
    return BlobPutReply{put.hash, content.size(), content.size() == put.size && HashBytes(content) == put.hash};
  }

  Message Get(const BlobGet& get) const {
    std::string piece = content.substr(get.offset, get.length);
    if (damage && !piece.empty()) piece[0] ^= 1;
    return Message{0, BlobData{get.hash, get.offset, content.size()}, {std::make_shared<const std::string>(piece)}};
  }
};

std::string Pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761U) >> 13);
  return text;
}

class BlobTransferTest : public testing::Test {
 protected:
  void SetUp() override {
    broker_ = std::make_unique<FakeBroker>(home_, "one", [this](const Message& message) {
      const std::lock_guard lock(mutex_);
      return store_(message);
    });
    ConnectOptions options;
    options.home = home_;
    options.patience = std::chrono::seconds(20);
    client_ = std::move(*Client::Connect(options));
  }

  FileRef Stored(const std::string& content) {
    const std::lock_guard lock(mutex_);
    store_.content = content;
    FileRef file;
    file.name = "file";
    file.hash = HashBytes(content);
    file.size = content.size();
    return file;
  }

  TempDirectory directory_;
  Home home_{directory_.path()};
  std::mutex mutex_;
  FakeStore store_;
  std::unique_ptr<FakeBroker> broker_;
  std::unique_ptr<Client> client_;
};

TEST_F(BlobTransferTest, AFileArrivesAsItIs) {
  const std::string content = Pattern(7 * limits::kChunkBytes + 123);
  const std::string path = directory_.Write("in", content);
  ASSERT_EQ(::chmod(path.c_str(), 0750), 0);
  const auto file = client_->UploadFile(path, "name");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, "name");
  EXPECT_EQ(file->size, content.size());
  EXPECT_EQ(file->hash, HashBytes(content));
  EXPECT_EQ(file->mode, 0750U);
  const std::lock_guard lock(mutex_);
  EXPECT_TRUE(store_.content == content);
}

TEST_F(BlobTransferTest, WhatTheBrokerHasIsNotSent) {
  const std::string content = Pattern(3 * limits::kChunkBytes);
  Stored(content);
  ASSERT_TRUE(client_->UploadFile(directory_.Write("in", content), "name"));
  EXPECT_EQ(broker_->ReceivedOf<BlobPut>().size(), 1U);
}

TEST_F(BlobTransferTest, AnUploadGoesOnWhereItStopped) {
  const std::string content = Pattern(5 * limits::kChunkBytes);
  Stored(content.substr(0, 2 * limits::kChunkBytes));
  ASSERT_TRUE(client_->UploadFile(directory_.Write("in", content), "name"));
  EXPECT_EQ(broker_->ReceivedOf<BlobPut>().size(), 1U + 3U);
  const std::lock_guard lock(mutex_);
  EXPECT_TRUE(store_.content == content);
}

TEST_F(BlobTransferTest, ChunksThatWereLostAreSentAgain) {
  {
    const std::lock_guard lock(mutex_);
    store_.skip_chunks = 3;
  }
  const std::string content = Pattern(9 * limits::kChunkBytes + 1);
  const auto file = client_->UploadFile(directory_.Write("in", content), "name");
  ASSERT_TRUE(file) << file.error().message;
  const std::lock_guard lock(mutex_);
  EXPECT_TRUE(store_.content == content);
}

TEST_F(BlobTransferTest, AFileThatIsNotThereIsTheUsersMistake) {
  const auto file = client_->UploadFile(directory_.path() + "/nowhere", "name");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kUsage);
  EXPECT_FALSE(client_->UploadFile(directory_.path(), "name"));
}

TEST_F(BlobTransferTest, ADownloadIsCheckedAgainstItsHash) {
  const FileRef file = Stored(Pattern(6 * limits::kChunkBytes + 5));
  const auto content = client_->ReadBlob(file);
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_TRUE(HashBytes(*content) == file.hash);
  {
    const std::lock_guard lock(mutex_);
    store_.damage = true;
  }
  const auto damaged = client_->ReadBlob(file);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorruption);
}

TEST_F(BlobTransferTest, AFileIsSavedWithItsModeAndItsDirectories) {
  FileRef file = Stored(Pattern(limits::kChunkBytes + 1));
  file.mode = 0700;
  const std::string path = directory_.path() + "/out/deep/file";
  const Status saved = client_->SaveBlob(file, path);
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(std::filesystem::file_size(path), file.size);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0700U, 0700U);
}

TEST_F(BlobTransferTest, ADamagedFileLeavesNothingBehind) {
  const FileRef file = Stored(Pattern(100));
  {
    const std::lock_guard lock(mutex_);
    store_.damage = true;
  }
  const std::string out = directory_.path() + "/out";
  EXPECT_FALSE(client_->SaveBlob(file, out + "/file"));
  EXPECT_TRUE(std::filesystem::is_empty(out));
}

TEST_F(BlobTransferTest, InlineContentNeedsNoBroker) {
  FileRef file;
  file.content = "text";
  file.hash = HashBytes("text");
  file.size = 4;
  EXPECT_EQ(*client_->ReadBlob(file), "text");
  file.content = "tent";
  EXPECT_FALSE(client_->ReadBlob(file));
}

}  // namespace
}  // namespace icarus::client
