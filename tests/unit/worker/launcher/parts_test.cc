// The parts of the launcher that need no process.
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/unit/worker/launcher/launcher_fixture.h"
#include "worker/launcher/command_environment.h"
#include "worker/launcher/outbox.h"
#include "worker/launcher/output_capture.h"
#include "worker/launcher/scratch.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// --- the environment of a command ---

CommandEnvironmentInput EnvironmentInput() {
  CommandEnvironmentInput input;
  input.task = {JobId(7), 2};
  input.attempt = 3;
  input.cpus = 4;
  input.axes = {{"reynolds", Value(1e6)}, {"flap.angle-deg", Value("up")}};
  input.scratch_dir = "/scratch/9";
  input.inherited = {{"PATH", "/bin"}, {"HOME", "/home/u"}};
  return input;
}

TEST(CommandEnvironmentTest, TellsTheTaskItsFacts) {
  const Environment expected{{"PATH", "/bin"},
                             {"HOME", "/home/u"},
                             {"TMPDIR", "/scratch/9/tmp"},
                             {"OMP_NUM_THREADS", "4"},
                             {"ICARUS_JOB", "7"},
                             {"ICARUS_TASK", "7.2"},
                             {"ICARUS_INDEX", "2"},
                             {"ICARUS_ATTEMPT", "3"},
                             {"ICARUS_CPUS", "4"},
                             {"ICARUS_PARAM_REYNOLDS", "1000000"},
                             {"ICARUS_PARAM_FLAP_ANGLE_DEG", "up"}};
  EXPECT_EQ(BuildCommandEnvironment(EnvironmentInput()), expected);
}

TEST(CommandEnvironmentTest, TheCommandWinsOverTheWorkerAndFactsOverBoth) {
  auto input = EnvironmentInput();
  input.worker = {{"PATH", "/opt/bin"}, {"LICENSE", "a"}, {"OMP_NUM_THREADS", "2"}};
  input.command = {{"LICENSE", "b"}, {"ICARUS_JOB", "forged"}};
  const Environment environment = BuildCommandEnvironment(input);
  EXPECT_EQ(environment.at("PATH"), "/opt/bin");
  EXPECT_EQ(environment.at("LICENSE"), "b");
  EXPECT_EQ(environment.at("OMP_NUM_THREADS"), "2");
  EXPECT_EQ(environment.at("ICARUS_JOB"), "7");
}

TEST(CommandEnvironmentTest, InheritsOnlyWhatIsNamed) {
  ::setenv("LANG", "de_DE.UTF-8", 1);
  ::setenv("AWS_SECRET", "x", 1);
  const Environment environment = InheritedEnvironment();
  EXPECT_EQ(environment.at("LANG"), "de_DE.UTF-8");
  EXPECT_EQ(environment.count("AWS_SECRET"), 0u);
  EXPECT_EQ(environment.count("PATH"), 1u);
}

// --- names ---

TEST(ScratchTest, NamesStayInside) {
  for (const char* name : {"a", "a/b", "./a", "..a", "a..", "a/.b"}) EXPECT_TRUE(StaysInside(name)) << name;
  for (const char* name : {"", "/a", "..", "../a", "a/..", "a/../b"}) EXPECT_FALSE(StaysInside(name)) << name;
  EXPECT_FALSE(StaysInside(std::string("a\0b", 3)));
}

// --- frames ---

class FrameChannelTest : public ::testing::Test {
 protected:
  FrameChannelTest() {
    auto ends = MakeChannelPair();
    a_ = FrameChannel(std::move(ends->first));
    b_ = FrameChannel(std::move(ends->second));
  }
  FrameChannel a_;
  FrameChannel b_;
};

TEST_F(FrameChannelTest, FramesArriveInOrder) {
  a_.Send(FrameType::kStart, 1, "one");
  a_.Send(FrameType::kKill, 2, "");
  b_.Receive();
  const auto first = b_.Next();
  EXPECT_EQ(first->type, FrameType::kStart);
  EXPECT_EQ(first->id, 1u);
  EXPECT_EQ(first->payload, "one");
  EXPECT_EQ(b_.Next()->id, 2u);
  EXPECT_FALSE(b_.Next().has_value());
  EXPECT_FALSE(b_.closed());
}

TEST_F(FrameChannelTest, SendingMoreThanTheSocketTakesDoesNotBlock) {
  const std::string large(20u << 20, 'x');
  a_.Send(FrameType::kFinished, 1, large);
  a_.Send(FrameType::kFinished, 2, "small");
  EXPECT_TRUE(a_.wants_write());
  std::vector<Frame> got;
  while (got.size() < 2) {
    a_.Flush();
    b_.Receive();
    while (auto frame = b_.Next()) got.push_back(std::move(*frame));
  }
  EXPECT_EQ(got[0].payload, large);
  EXPECT_EQ(got[1].payload, "small");
  EXPECT_FALSE(a_.wants_write());
}

TEST_F(FrameChannelTest, WhatCameBeforeTheEndIsStillRead) {
  a_.Send(FrameType::kKill, 1, "last");
  a_.Close();
  b_.Receive();
  EXPECT_TRUE(b_.closed());
  EXPECT_EQ(b_.Next()->payload, "last");
  b_.Send(FrameType::kKill, 2, "into the void");
  EXPECT_FALSE(b_.wants_write());
}

TEST_F(FrameChannelTest, AFrameThatIsTooLongClosesTheChannel) {
  struct {
    std::uint64_t id = 1;
    std::uint32_t length = 0xFFFFFFFFu;
    std::uint32_t type = 1;
  } header;
  ASSERT_EQ(::write(a_.fd(), &header, sizeof header), static_cast<ssize_t>(sizeof header));
  b_.Receive();
  EXPECT_FALSE(b_.Next().has_value());
  EXPECT_TRUE(b_.closed());
}

// --- output and outbox ---

class CaptureTest : public ::testing::Test {
 protected:
  // A capture whose other end has written `text` and closed.
  OutputCapture Captured(const std::string& text, std::uint64_t limit = 1'000'000, bool live = false) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    OutputCapture capture(UniqueFd{ends[0]}, limit, &outbox_, live);
    for (std::size_t at = 0; at < text.size(); at += 4096) {
      EXPECT_GT(::write(ends[1], text.data() + at, std::min<std::size_t>(4096, text.size() - at)), 0);
      capture.Read();
    }
    ::close(ends[1]);
    capture.ReadToEnd();
    return capture;
  }
  TestDirectory directory_;
  Outbox outbox_{directory_ / "outbox", 5};
};

TEST_F(CaptureTest, LastLineIsReadableText) {
  EXPECT_EQ(Captured("one\ntwo\n\n  \n").LastLine(), "two");
  EXPECT_EQ(Captured("").LastLine(), "");
  EXPECT_EQ(Captured("a\x01\xFF"
                     "b \xC3\xA4 \xC3")
                .LastLine(),
            "a??b \xC3\xA4 ?");
  EXPECT_EQ(Captured(std::string(9000, 'z')).LastLine(), std::string(200, 'z'));
}

TEST_F(CaptureTest, LivePiecesSayWhereTheyBelong) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  OutputCapture capture(UniqueFd{ends[0]}, 1000, &outbox_, true);
  ASSERT_EQ(::write(ends[1], "abc", 3), 3);
  EXPECT_TRUE(capture.Read());
  EXPECT_EQ(capture.TakeLive().bytes, "abc");
  ASSERT_EQ(::write(ends[1], "de", 2), 2);
  capture.Read();
  const auto piece = capture.TakeLive();
  EXPECT_EQ(piece.offset, 3u);
  EXPECT_EQ(piece.bytes, "de");
  EXPECT_FALSE(capture.Read());
  ::close(ends[1]);
}

TEST_F(CaptureTest, LivePiecesThatNobodyTakesAreDropped) {
  auto capture = Captured(std::string(100'000, 'a') + "end", 1'000'000, true);
  const auto piece = capture.TakeLive();
  EXPECT_LE(piece.bytes.size(), 64u << 10);
  EXPECT_EQ(piece.offset + piece.bytes.size(), 100'003u);
  EXPECT_EQ(piece.bytes.substr(piece.bytes.size() - 3), "end");
}

TEST_F(CaptureTest, ATemporaryThatIsNotFinishedIsRemoved) {
  {
    Outbox outbox(directory_ / "box", 1);
    WriteTextFile(*outbox.NewTemporary(), "half");
    EXPECT_EQ(NamesIn(directory_ / "box").size(), 1u);
  }
  EXPECT_THAT(NamesIn(directory_ / "box"), IsEmpty());
}

TEST_F(CaptureTest, OnlyTemporariesOfTheAttemptAreRemoved) {
  for (const char* name : {".attempt-1-1", ".attempt-1-2", ".attempt-12-1", "abcdef"}) {
    WriteTextFile(directory_ / "box/" + name, "x");
  }
  Outbox::RemoveTemporaries(directory_ / "box", 1);
  EXPECT_THAT(NamesIn(directory_ / "box"), ElementsAre(".attempt-12-1", "abcdef"));
}

}  // namespace
}  // namespace icarus::worker
