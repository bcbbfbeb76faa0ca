// Files to and from a broker that the test plays, with lost connections, refusals and answers out of order.
#include "worker/net/blob_transfers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "common/base/files.h"
#include "common/model/limits.h"
#include "tests/support/temp_dir.h"

namespace icarus::worker {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class BlobTransfersTest : public ::testing::Test {
 protected:
  BlobTransfersTest() { transfers_.OnUp(now_); }

  BlobCache OpenCache() {
    auto cache = BlobCache::Open(dir_ / "blobs");
    EXPECT_TRUE(cache.has_value());
    return std::move(*cache);
  }
  void Tick(std::int64_t ms = 0) {
    now_.monotonic += Milliseconds(ms);
    transfers_.OnTick(now_);
  }
  Message Take() {
    Message message = std::move(sent_.front());
    sent_.pop_front();
    return message;
  }
  void Answer(const Message& request, AnyMessage payload, std::vector<Body> bodies = {}) {
    EXPECT_TRUE(transfers_.OnMessage(Message{request.correlation, std::move(payload), std::move(bodies)}, now_));
  }
  void AnswerGet(const Message& request) {
    const auto& get = request.payload.get<BlobGet>();
    auto bytes = std::make_shared<const std::string>(content_.substr(get.offset, get.length));
    Answer(request, BlobData{get.hash, get.offset, content_.size()}, {std::move(bytes)});
  }
  // As the broker does: takes a chunk that goes on where it is.
  void AnswerPut(const Message& request) {
    const auto& put = request.payload.get<BlobPut>();
    if (!request.bodies.empty() && put.offset == stored_.size()) stored_ += *request.bodies[0];
    Answer(request, BlobPutReply{put.hash, stored_.size(), stored_.size() == put.size});
  }
  void AnswerAllGets() {
    while (!sent_.empty()) AnswerGet(Take());
  }
  void AnswerAllPuts() {
    while (!sent_.empty()) AnswerPut(Take());
  }
  void StartUpload() {
    ASSERT_TRUE(WriteFileAtomically(dir_ / "out", content_, 0600));
    transfers_.Upload(5, hash_, content_.size(), dir_ / "out");
    Tick();
  }

  icarus::testing::TempDir dir_;
  Now now_{Milliseconds(1'000'000), 0};
  std::string content_ = std::string(limits::kChunkBytes * 6 + 17, 'c');
  ContentHash hash_ = HashBytes(content_);
  std::string stored_;
  std::deque<Message> sent_;
  std::vector<std::optional<Error>> fetched_;
  std::vector<std::optional<Error>> uploaded_;
  BlobTransfers transfers_{OpenCache(),
                           {[this](Message message) { sent_.push_back(std::move(message)); },
                            [this](const ContentHash&, const auto& error) { fetched_.push_back(error); },
                            [this](std::uint64_t owner, const auto& error) {
                              EXPECT_EQ(5u, owner);
                              uploaded_.push_back(error);
                            }}};
};

TEST_F(BlobTransfersTest, FetchesWithAtMostFourChunksUnderWay) {
  transfers_.Fetch(hash_, content_.size());
  Tick();
  EXPECT_THAT(sent_, SizeIs(4));
  AnswerAllGets();
  ASSERT_THAT(fetched_, SizeIs(1));
  EXPECT_FALSE(fetched_[0]);
  EXPECT_EQ(content_, ReadFile(transfers_.cache().PathOf(hash_), 1 << 30).value());
}

TEST_F(BlobTransfersTest, AnswersMayComeInAnyOrder) {
  transfers_.Fetch(hash_, content_.size());
  Tick();
  while (!sent_.empty()) {
    const Message last = std::move(sent_.back());
    sent_.pop_back();
    AnswerGet(last);
  }
  EXPECT_THAT(fetched_, SizeIs(1));
  EXPECT_EQ(content_, ReadFile(transfers_.cache().PathOf(hash_), 1 << 30).value());
}

TEST_F(BlobTransfersTest, AFetchGoesOnAfterTheConnectionWasLost) {
  transfers_.Fetch(hash_, content_.size());
  Tick();
  AnswerGet(Take());
  transfers_.OnDown();
  const Message late = Take();
  sent_.clear();
  transfers_.OnUp(now_);
  EXPECT_EQ(limits::kChunkBytes, sent_.front().payload.get<BlobGet>().offset) << "not from the start";
  AnswerGet(late);  // of the old connection: known as ours, and not used
  AnswerAllGets();
  ASSERT_THAT(fetched_, SizeIs(1));
  EXPECT_FALSE(fetched_[0]);
}

TEST_F(BlobTransfersTest, WhatIsNotAnsweredIsAskedAgain) {
  transfers_.Fetch(hash_, content_.size());
  Tick();
  sent_.clear();
  EXPECT_EQ(now_.monotonic + Milliseconds(15'000), transfers_.NextDeadline());
  Tick(15'000);
  EXPECT_THAT(sent_, SizeIs(4));
}

TEST_F(BlobTransfersTest, OtherContentThanNamedIsRefusedAndLeavesNothing) {
  transfers_.Fetch(HashBytes("another"), content_.size());
  Tick();
  AnswerAllGets();
  ASSERT_THAT(fetched_, SizeIs(1));
  EXPECT_EQ(ErrorCode::kCorruption, fetched_[0]->code);
  EXPECT_FALSE(PathExists(transfers_.cache().PathOf(HashBytes("another"))));
  EXPECT_FALSE(PathExists(transfers_.cache().PathOf(HashBytes("another")) + ".part"));
}

TEST_F(BlobTransfersTest, AnotherSizeThanNamedIsRefused) {
  transfers_.Fetch(hash_, 5);
  Tick();
  AnswerGet(Take());
  ASSERT_THAT(fetched_, SizeIs(1));
  EXPECT_EQ(ErrorCode::kProtocol, fetched_[0]->code);
}

TEST_F(BlobTransfersTest, ABusyBrokerIsAskedLater) {
  transfers_.Fetch(hash_, content_.size());
  Tick();
  Answer(Take(), ErrorReply{ErrorCode::kOverloaded, "busy", {}, 2.0});
  sent_.clear();
  Tick(1999);
  EXPECT_THAT(sent_, IsEmpty());
  Tick(1);
  AnswerAllGets();
  EXPECT_THAT(fetched_, SizeIs(1));
}

TEST_F(BlobTransfersTest, ARefusalEndsTheFetch) {
  transfers_.Fetch(hash_, content_.size());
  Tick();
  Answer(Take(), ErrorReply{ErrorCode::kNotFound, "gone", {}, {}});
  ASSERT_THAT(fetched_, SizeIs(1));
  EXPECT_EQ("gone", fetched_[0]->message);
}

TEST_F(BlobTransfersTest, AnEmptyFileIsFetched) {
  content_.clear();
  transfers_.Fetch(HashBytes(""), 0);
  Tick();
  AnswerAllGets();
  ASSERT_THAT(fetched_, SizeIs(1));
  EXPECT_FALSE(fetched_[0]);
}

TEST_F(BlobTransfersTest, ABrokerThatHasEveryByteAndNoFileIsAskedAgain) {
  StartUpload();
  Answer(Take(), BlobPutReply{hash_, content_.size(), false});
  ASSERT_THAT(sent_, SizeIs(1));
  Answer(Take(), BlobPutReply{hash_, content_.size(), true});
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_FALSE(uploaded_[0]);
}

TEST_F(BlobTransfersTest, ABrokerThatNeverMakesTheFileEndsTheUpload) {
  StartUpload();
  for (int i = 0; i < 100 && uploaded_.empty(); ++i) Answer(Take(), BlobPutReply{hash_, content_.size(), false});
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_TRUE(uploaded_[0]);
}

TEST_F(BlobTransfersTest, WhatTheBrokerDroppedIsSentFromTheBeginningButNotForEver) {
  StartUpload();
  AnswerPut(Take());
  Answer(Take(), ErrorReply{ErrorCode::kProtocol, "another content; send it again", {}, {}});
  EXPECT_THAT(uploaded_, IsEmpty());
  while (sent_.size() > 1) sent_.pop_front();  // the chunks of before; nobody answers them
  stored_.clear();
  AnswerAllPuts();
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_FALSE(uploaded_[0]);
  EXPECT_EQ(content_, stored_);
}

TEST_F(BlobTransfersTest, UploadsFromWhereTheBrokerIs) {
  stored_ = content_.substr(0, limits::kChunkBytes * 2);
  StartUpload();
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_THAT(sent_[0].bodies, IsEmpty());
  AnswerPut(Take());
  EXPECT_THAT(sent_, SizeIs(4));
  EXPECT_EQ(limits::kChunkBytes * 2, sent_[0].payload.get<BlobPut>().offset);
  AnswerAllPuts();
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_FALSE(uploaded_[0]);
  EXPECT_EQ(content_, stored_);
}

TEST_F(BlobTransfersTest, AnUploadGoesOnAfterTheConnectionWasLost) {
  StartUpload();
  AnswerPut(Take());
  AnswerPut(Take());
  transfers_.OnDown();
  sent_.clear();
  transfers_.OnUp(now_);
  AnswerAllPuts();
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_EQ(content_, stored_);
}

TEST_F(BlobTransfersTest, ABrokerThatLostChunksGetsThemAgain) {
  StartUpload();
  AnswerPut(Take());
  const Message lost = Take();
  Answer(lost, BlobPutReply{hash_, 0, false});
  AnswerAllPuts();
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_FALSE(uploaded_[0]);
  EXPECT_EQ(content_, stored_);
}

TEST_F(BlobTransfersTest, ABrokerThatNeverTakesAnythingEndsTheUpload) {
  StartUpload();
  for (int i = 0; i < 1000 && uploaded_.empty(); ++i) Answer(Take(), BlobPutReply{hash_, 0, false});
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_EQ(ErrorCode::kInternal, uploaded_[0]->code);
}

TEST_F(BlobTransfersTest, AForgottenUploadIsNotReported) {
  StartUpload();
  transfers_.Forget(5);
  AnswerAllPuts();
  Tick();
  EXPECT_THAT(uploaded_, IsEmpty());
}

TEST_F(BlobTransfersTest, AFileThatIsGoneFailsTheUpload) {
  transfers_.Upload(5, hash_, 10, dir_ / "nowhere");
  Tick();
  ASSERT_THAT(uploaded_, SizeIs(1));
  EXPECT_TRUE(uploaded_[0]);
}

}  // namespace
}  // namespace icarus::worker
