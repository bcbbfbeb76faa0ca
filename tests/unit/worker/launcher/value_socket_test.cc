// The socket of intermediate values on real sockets, with the worker played by the test.
#include "worker/launcher/value_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "common/base/files.h"
#include "common/model/limits.h"
#include "tests/unit/worker/launcher/launcher_fixture.h"
#include "worker/launcher/launcher_codec.h"

namespace icarus::worker {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::uint64_t kAttempt = 7;

std::string GetLine(int id, const std::string& key) {
  return R"({"type":"cache_get","id":)" + std::to_string(id) + R"(,"key":)" + key + "}\n";
}
std::string PutLine(const std::string& key, const std::string& value) {
  return R"({"type":"cache_put","key":)" + key + R"(,"value":)" + value + "}\n";
}
std::string ValueLineOf(int id, const std::string& value) { return CacheValueLine(std::to_string(id), &value); }

// A program's end of a connection.
struct Program {
  UniqueFd socket;
  std::string unsent;
  std::string got;
  bool reads = true;  // it takes its answers
  bool gone = false;  // the guardian has closed it

  void Send(const std::string& text) { unsent += text; }
  void HalfClose() const { ::shutdown(socket.get(), SHUT_WR); }
  void Move() {
    const ssize_t put =
        unsent.empty() ? 0 : ::send(socket.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) unsent.erase(0, static_cast<std::size_t>(put));
    std::array<char, 64u << 10> buffer;
    while (reads) {
      const ssize_t taken = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (taken <= 0) gone = gone || taken == 0 || errno != EAGAIN;
      if (taken <= 0) return;
      got.append(buffer.data(), static_cast<std::size_t>(taken));
    }
  }
};

class ValueSocketTest : public ::testing::Test {
 protected:
  ValueSocketTest() {
    auto ends = MakeChannelPair();
    EXPECT_TRUE(ends);
    launcher_ = FrameChannel(std::move(ends->first));
    worker_ = FrameChannel(std::move(ends->second));
    Open({});
  }
  void Open(ValueBounds bounds) {
    socket_.reset();
    auto opened = ValueSocket::Open(path_, kAttempt, launcher_, bounds);
    ASSERT_TRUE(opened) << opened.error().message;
    socket_ = std::move(*opened);
  }
  Program& Connect() {
    Program program;
    program.socket = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    EXPECT_EQ(::connect(program.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << std::strerror(errno);
    programs_.push_back(std::make_unique<Program>(std::move(program)));
    return *programs_.back();
  }

  // One turn of everybody: the programs, the guardian, the worker.
  void Turn() {
    for (auto& program : programs_) program->Move();
    std::vector<pollfd> polled;
    polled.push_back({launcher_.fd(), static_cast<short>(launcher_.wants_write() ? POLLOUT : 0), 0});
    socket_->AddTo(polled);
    const int left = PollTimeout(std::min(socket_->NextDeadline(), MonotonicNow() + Milliseconds(5)), MonotonicNow());
    busy_polls_ += ::poll(polled.data(), polled.size(), left) > 0 ? 1 : 0;
    launcher_.Flush();
    socket_->Serve(polled);
    TakeFrames();
  }
  void TakeFrames() {
    worker_.Receive();
    while (const auto frame = worker_.Next()) {
      EXPECT_EQ(frame->id, kAttempt);
      if (frame->type == FrameType::kAskValues) asks_.push_back(*DecodeAsk(frame->payload));
      if (frame->type == FrameType::kOfferValue) offers_.push_back(*DecodeOffer(frame->payload));
    }
    while (answers_ && !asks_.empty()) {
      AnswerFirst(asks_.front().keys.empty() ? std::nullopt : answers_(asks_.front().keys.front()));
    }
  }
  void Answer(std::size_t which, const std::optional<std::string>& value) {
    const ValueAsk ask = asks_.at(which);
    asks_.erase(asks_.begin() + static_cast<std::ptrdiff_t>(which));
    ValueAnswer answer{kAttempt, std::vector<std::int32_t>(ask.keys.size(), value ? 0 : -1), {}, ask.number};
    if (value) answer.values.push_back(*value);
    socket_->OnAnswer(answer);
  }
  void AnswerFirst(const std::optional<std::string>& value) { Answer(0, value); }
  bool TurnUntil(const std::function<bool()>& holds) {
    const Instant deadline = MonotonicNow() + std::chrono::duration_cast<Instant>(kPatience);
    while (!holds()) {
      if (MonotonicNow() > deadline) return false;
      Turn();
    }
    return true;
  }
  bool AwaitText(Program& program, const std::string& text) {
    return TurnUntil([&] { return program.got.find(text) != std::string::npos; });
  }

  TestDirectory directory_;
  std::string path_ = directory_ / "v";
  FrameChannel launcher_;
  FrameChannel worker_;
  std::unique_ptr<ValueSocket> socket_;
  std::vector<std::unique_ptr<Program>> programs_;
  std::vector<ValueAsk> asks_;  // not answered yet
  std::vector<ValueOffer> offers_;
  std::function<std::optional<std::string>(const std::string& key)> answers_;  // what the worker says at once
  int busy_polls_ = 0;
};

TEST_F(ValueSocketTest, AnswersFindTheirQuestionsHoweverTheyAreOrdered) {
  Program& one = Connect();
  Program& two = Connect();
  one.Send(GetLine(1, R"({"b":1,"a":2})") + GetLine(2, "2.0"));
  two.Send(GetLine(1, "\"other\""));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 3; }));
  std::vector<std::string> keys;
  for (const ValueAsk& ask : asks_) keys.push_back(ask.keys.at(0));
  EXPECT_THAT(keys, ::testing::UnorderedElementsAre(R"({"a":2,"b":1})", "2", "\"other\""));
  while (!asks_.empty()) {
    const std::string value = "[" + asks_.back().keys.at(0) + "]";
    Answer(asks_.size() - 1, value);
  }
  EXPECT_TRUE(AwaitText(one, ValueLineOf(1, R"([{"a":2,"b":1}])")));
  EXPECT_TRUE(AwaitText(one, ValueLineOf(2, "[2]")));
  EXPECT_TRUE(AwaitText(two, ValueLineOf(1, "[\"other\"]")));
}

TEST_F(ValueSocketTest, OnePutsTheOtherIsTold) {
  Program& program = Connect();
  program.Send(PutLine("[1.0]", "{\"x\":1.50}") + R"({"type":"cache_put","key":2,"value":3,"compute_s":4})" + "\n");
  ASSERT_TRUE(TurnUntil([&] { return offers_.size() == 2; }));
  EXPECT_EQ(offers_[0].key, "[1]");
  EXPECT_EQ(offers_[0].value, "{\"x\":1.50}");
  EXPECT_EQ(offers_[1].compute_s, 4);
  EXPECT_EQ(program.got, "") << "a put is not answered";
}

TEST_F(ValueSocketTest, ABadLineIsToldAndTheConnectionGoesOn) {
  Program& program = Connect();
  program.Send("rubbish\n\n" + std::string(R"({"type":"cache_get","id":5})") + "\n" + GetLine(6, "1"));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 1; }));
  AnswerFirst("true");
  ASSERT_TRUE(AwaitText(program, ValueLineOf(6, "true")));
  EXPECT_THAT(program.got, StartsWith(R"({"type":"error","message":)"));
  EXPECT_THAT(program.got, HasSubstr(R"({"type":"error","id":5,"message":)"));
  EXPECT_EQ(std::count(program.got.begin(), program.got.end(), '\n'), 3);
}

TEST_F(ValueSocketTest, ALineBeyondTheLimitIsSkippedToItsEnd) {
  Program& program = Connect();
  program.Send("{\"type\":\"cache_put\",\"key\":1,\"value\":\"" + std::string(limits::kValueLineBytes, 'x'));
  ASSERT_TRUE(AwaitText(program, "limit of " + std::to_string(limits::kValueLineBytes)));
  program.Send(std::string(3u << 20, 'x') + "\"}\n" + GetLine(1, "1"));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 1; }));
  EXPECT_THAT(offers_, IsEmpty());
  EXPECT_EQ(std::count(program.got.begin(), program.got.end(), '\n'), 1);
}

TEST_F(ValueSocketTest, TheLargestValueTravelsBothWays) {
  const std::string value = "\"" + std::string(limits::kMaxResultBytes - 2, 'v') + "\"";
  Program& program = Connect();
  program.Send(PutLine("1", value) + GetLine(1, "1"));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 1; }));
  EXPECT_EQ(offers_.at(0).value, value);
  AnswerFirst(value);
  EXPECT_TRUE(AwaitText(program, ValueLineOf(1, value)));
}

TEST_F(ValueSocketTest, WithoutAnAnswerInTimeThereIsNoValue) {
  Open({.patience = Milliseconds(30)});
  Program& program = Connect();
  program.Send(GetLine(1, "1"));
  ASSERT_TRUE(AwaitText(program, CacheValueLine("1", nullptr)));
  program.Send(GetLine(2, "2"));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 2; }));
  AnswerFirst("\"late\"");
  AnswerFirst("\"in time\"");
  ASSERT_TRUE(AwaitText(program, ValueLineOf(2, "\"in time\"")));
  EXPECT_EQ(program.got.find("late"), std::string::npos);
}

TEST_F(ValueSocketTest, AConnectionTooManyIsToldAndTheOthersGoOn) {
  for (std::size_t i = 0; i < limits::kValueConnections; ++i) {
    Connect().Send(GetLine(1, std::to_string(i)));
    ASSERT_TRUE(TurnUntil([&] { return asks_.size() == i + 1; }));
  }
  Program& refused = Connect();
  ASSERT_TRUE(TurnUntil([&] { return refused.gone; }));
  EXPECT_THAT(refused.got, AllOf(HasSubstr("error"), HasSubstr("limit of 64 connections")));
  while (!asks_.empty()) AnswerFirst("1");
  for (std::size_t i = 0; i < limits::kValueConnections; ++i) {
    EXPECT_TRUE(AwaitText(*programs_[i], ValueLineOf(1, "1")));
  }
  programs_[0]->socket.Reset();
  Turn();  // sees the end
  Program& next = Connect();
  next.Send(GetLine(2, "1"));
  EXPECT_TRUE(TurnUntil([&] { return asks_.size() == 1; }));
}

TEST_F(ValueSocketTest, WhoDoesNotReadIsNotReadAndTheOthersGoOn) {
  const std::string value = "\"" + std::string(300u << 10, 'v') + "\"";  // nobody is asked more behind it
  int silent_asks = 0;
  answers_ = [&](const std::string& key) {
    silent_asks += key == "0" ? 1 : 0;
    return key == "0" ? value : "\"small\"";
  };
  Program& silent = Connect();
  silent.reads = false;
  for (int i = 0; i < 1000; ++i) silent.Send(GetLine(i, "0"));
  Program& other = Connect();
  for (int i = 0; i < 20; ++i) {
    other.Send(GetLine(i, "1"));
    ASSERT_TRUE(AwaitText(other, ValueLineOf(i, "\"small\"")));
  }
  EXPECT_LE(silent_asks, 4);
  silent.reads = true;
  EXPECT_TRUE(AwaitText(silent, "\"id\":20,"));
}

TEST_F(ValueSocketTest, BeyondTheBoundTheFullestIsClosed) {
  Open({.most_unread = 4u << 20});
  const std::string value = "\"" + std::string(3u << 20, 'v') + "\"";
  answers_ = [&](const std::string&) { return value; };
  Program& silent = Connect();
  silent.reads = false;
  silent.Send(GetLine(1, "0") + GetLine(2, "0"));
  Program& modest = Connect();
  const auto is_cut = [&] {
    char c = 0;
    pollfd item{silent.socket.get(), POLLIN, 0};
    ::poll(&item, 1, 0);
    return (item.revents & POLLHUP) != 0 && ::recv(silent.socket.get(), &c, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
  };
  ASSERT_TRUE(TurnUntil(is_cut));
  modest.Send(GetLine(1, "0"));
  EXPECT_TRUE(AwaitText(modest, ValueLineOf(1, value)));
  EXPECT_FALSE(modest.gone);
}

TEST_F(ValueSocketTest, WhatIsOfferedWaitsForTheBrokerToTakeIt) {
  Open({.patience = Milliseconds(60'000), .most_offered = 1u << 20});
  const std::string value = "\"" + std::string(700u << 10, 'v') + "\"";
  Program& program = Connect();
  for (int i = 0; i < 4; ++i) program.Send(PutLine(std::to_string(i), value));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 1; }));
  EXPECT_THAT(asks_[0].keys, IsEmpty()) << "asked when the broker has taken these";
  for (int i = 0; i < 20; ++i) Turn();
  EXPECT_THAT(offers_, SizeIs(2));
  AnswerFirst(std::nullopt);
  ASSERT_TRUE(TurnUntil([&] { return offers_.size() == 4; }));
}

TEST_F(ValueSocketTest, ManyLongLinesAtOnceAllComeThroughLittleRoom) {
  Open({.most_held = 100u << 10});
  answers_ = [](const std::string&) { return std::nullopt; };
  const std::string value = "\"" + std::string(400u << 10, 'v') + "\"";
  for (int i = 0; i < 8; ++i) Connect().Send(PutLine(std::to_string(i), value));
  EXPECT_TRUE(TurnUntil([&] { return offers_.size() == 8; }));
}

TEST_F(ValueSocketTest, WhatAProgramPutBeforeItEndedIsPassedOn) {
  Connect().Send(PutLine("1", "1") + PutLine("2", "2") + R"({"type":"cache_put","key":3,"value":3})");
  Connect().Send(PutLine("4", "4"));
  for (auto& program : programs_) program->Move();
  programs_.clear();
  socket_->Finish();
  launcher_.Flush();
  TakeFrames();
  std::vector<std::string> keys;
  for (const ValueOffer& offer : offers_) keys.push_back(offer.key);
  EXPECT_THAT(keys, ElementsAre("1", "2", "3", "4"));
}

TEST_F(ValueSocketTest, WhoHasGoneCostsNoTurns) {
  Program& program = Connect();
  program.Send(GetLine(1, "1") + GetLine(2, "1") + GetLine(3, "1") + GetLine(4, "1"));
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 4; }));
  programs_.clear();
  for (int i = 0; i < 5; ++i) Turn();
  busy_polls_ = 0;
  for (int i = 0; i < 10; ++i) Turn();
  EXPECT_EQ(busy_polls_, 0) << "its questions are open, but there is nothing to do";
  while (!asks_.empty()) AnswerFirst("1");
  Turn();
}

TEST_F(ValueSocketTest, AfterItsLastWordAProgramStillGetsItsAnswer) {
  Program& program = Connect();
  program.Send(GetLine(1, "1"));
  program.Move();
  program.HalfClose();
  ASSERT_TRUE(TurnUntil([&] { return asks_.size() == 1; }));
  AnswerFirst("1");
  ASSERT_TRUE(AwaitText(program, ValueLineOf(1, "1")));
  EXPECT_TRUE(TurnUntil([&] { return program.gone; }));
}

TEST_F(ValueSocketTest, IsForThisUserAloneAndGoesWithItsAttempt) {
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  socket_.reset();
  EXPECT_FALSE(PathExists(path_));
}

TEST_F(ValueSocketTest, AnotherUserIsTurnedAway) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0711), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(3);
    Program& stranger = Connect();
    char c = 0;
    ::_exit(::recv(stranger.socket.get(), &c, 1, 0) == 0 ? 0 : 1);
  }
  int status = -1;
  EXPECT_TRUE(TurnUntil([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, 0);
}

TEST_F(ValueSocketTest, ADeadGuardiansSocketMakesRoomAndASuccessorsStays) {
  std::unique_ptr<ValueSocket> old = std::move(socket_);
  Open({});
  old.reset();
  EXPECT_TRUE(PathExists(path_));
  answers_ = [](const std::string&) { return "1"; };
  Program& program = Connect();
  program.Send(GetLine(1, "1"));
  EXPECT_TRUE(AwaitText(program, ValueLineOf(1, "1")));
}

TEST_F(ValueSocketTest, APathThatIsTooLongIsAnErrorThatSaysSo) {
  const auto opened = ValueSocket::Open(directory_ / std::string(100, 'x'), kAttempt, launcher_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("at most 107 bytes"));
  EXPECT_FALSE(ValueSocket::Open("/nowhere/v", kAttempt, launcher_));
}

}  // namespace
}  // namespace icarus::worker
