#include "client/cli/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/model/limits.h"
#include "tests/unit/client/lib/fake_broker.h"
#include "tests/unit/client/temp_directory.h"

namespace icarus::client {
namespace {

std::vector<Message> Reply(AnyMessage payload) { return {Message{0, std::move(payload), {}}}; }

class SubmissionTest : public testing::Test {
 protected:
  SubmissionTest() {
    std::ofstream(input_) << std::string(3 * limits::kInlineFileBytes, 'x');
    options_.common.home = directory_.path();
    options_.common.quiet = true;
    options_.submit.analysis = "command";
    options_.submit.command = {"cat", "input"};
    options_.submit.inputs = {input_ + "=input"};
  }

  TempDirectory directory_;
  const std::string input_ = directory_.path() + "/large";
  Options options_;
};

// What was there when it was asked for, and has gone with the last that named it.
TEST_F(SubmissionTest, AnInputThatWentBeforeTheJobCameIsSentAgain) {
  int submissions = 0, chunks = 0;
  FakeBroker broker(Home{directory_.path()}, "one", [&](const Message& message) -> std::vector<Message> {
    if (const auto* put = message.payload.get_if<BlobPut>()) {
      const bool has = !message.bodies.empty() || submissions == 0;
      chunks += static_cast<int>(message.bodies.size());
      return Reply(BlobPutReply{put->hash, has ? put->size : 0, has});
    }
    if (!message.payload.is<Submit>()) return {};
    if (++submissions == 1) return Reply(ErrorReply{ErrorCode::kNotFound, "the input is not here", "input", {}});
    return Reply(SubmitReply{JobId(1), 1, 0, 0, false, {}});
  });
  Session session(options_);
  const auto reply = SendJob(session, options_.submit, false);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->job, JobId(1));
  EXPECT_EQ(chunks, 1);
  const auto sent = broker.ReceivedOf<Submit>();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].id, sent[1].id) << "it is one job";
}

TEST_F(SubmissionTest, ASecondRefusalIsTold) {
  FakeBroker broker(Home{directory_.path()}, "one", [&](const Message& message) -> std::vector<Message> {
    if (const auto* put = message.payload.get_if<BlobPut>()) return Reply(BlobPutReply{put->hash, put->size, true});
    if (!message.payload.is<Submit>()) return {};
    return Reply(ErrorReply{ErrorCode::kNotFound, "the input is not here", "input", {}});
  });
  Session session(options_);
  const auto reply = SendJob(session, options_.submit, false);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(broker.ReceivedOf<Submit>().size(), 2u);
}

}  // namespace
}  // namespace icarus::client
