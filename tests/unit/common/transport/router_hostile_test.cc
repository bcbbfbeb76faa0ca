// Peers that do not keep to the protocol: the router answers with errors, forgets them, and serves the others.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <zmq.h>

#include <cstring>

#include "common/base/random.h"
#include "common/base/unique_fd.h"
#include "common/model/limits.h"
#include "common/protocol/codec.h"
#include "tests/unit/common/transport/fixture.h"

namespace icarus {
namespace {

// A ZeroMQ peer that sends the parts it is told to, whatever they are.
class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) {
    const int linger = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger, sizeof linger);
    EXPECT_EQ(zmq_connect(socket_, endpoint.c_str()), 0);
  }
  ~RawPeer() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void Send(const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) Part(parts[i], i + 1 < parts.size());
  }
  void Part(const std::string& part, bool more) {
    ASSERT_EQ(zmq_send(socket_, part.data(), part.size(), more ? ZMQ_SNDMORE : 0), static_cast<int>(part.size()));
  }

 private:
  void* context_ = zmq_ctx_new();
  void* socket_ = zmq_socket(context_, ZMQ_DEALER);
};

class RouterHostileTest : public TransportTest {
 protected:
  void ExpectError(std::optional<Incoming> incoming, const std::string& part_of_message) {
    ASSERT_TRUE(incoming.has_value());
    ASSERT_FALSE(incoming->message.has_value());
    EXPECT_EQ(incoming->message.error().code, ErrorCode::kProtocol);
    EXPECT_NE(incoming->message.error().message.find(part_of_message), std::string::npos)
        << incoming->message.error().message;
  }
  // A good message gets through. Before it may come what ZeroMQ made of garbage, as errors.
  void ExpectStillServing() {
    const auto dealer = Connect(Ipc("r"));
    ASSERT_TRUE(SendWhenWritable(*dealer, Note(99, "good")).has_value());
    auto incoming = Await(*router_);
    while (incoming && !incoming->message) incoming = Await(*router_);
    ASSERT_TRUE(incoming.has_value());
    EXPECT_EQ(incoming->correlation, 99u);
  }

  std::unique_ptr<RouterSocket> router_ = Bind(Ipc("r"));
};

TEST_F(RouterHostileTest, MalformedMessagesAreErrorsThatCanBeAnswered) {
  RawPeer peer(Ipc("r"));
  const EncodedMessage good = EncodeMessage(Note(42, "good"));
  std::string other_version = good.header;
  other_version[4] = 77;
  peer.Send({""});
  peer.Send({"GET / HTTP/1.1"});
  peer.Send({"", "", ""});
  peer.Send({good.header});
  peer.Send({good.header, good.map + "x"});
  peer.Send({good.header, good.map, "a body that is not listed"});
  peer.Send({other_version, good.map});
  peer.Send({good.header, good.map});
  ExpectError(Await(*router_), "not an Icarus message");
  ExpectError(Await(*router_), "not an Icarus message");
  ExpectError(Await(*router_), "not an Icarus message");
  for (const char* part : {"one part", "damaged", "bodies", "version 77"}) {
    auto incoming = Await(*router_);
    ASSERT_TRUE(incoming.has_value());
    EXPECT_EQ(incoming->correlation, 42u) << part;
    EXPECT_TRUE(router_->Send(incoming->peer, Message{42, ToErrorReply(incoming->message.error()), {}}).has_value());
    ExpectError(std::move(incoming), part);
  }
  const auto last = Await(*router_);
  ASSERT_TRUE(last && last->message);
  EXPECT_EQ(last->correlation, 42u);
}

TEST_F(RouterHostileTest, RandomPartsAreErrors) {
  RawPeer peer(Ipc("r"));
  Random random(20260101);
  for (int i = 0; i < 500; ++i) {
    std::vector<std::string> parts(1 + random.Below(5));
    for (std::string& part : parts) {
      part.resize(random.Below(60));
      for (char& c : part) c = static_cast<char>(random.Next());
    }
    peer.Send(parts);
    ExpectError(Await(*router_), "not an Icarus message");
  }
  ExpectStillServing();
}

TEST_F(RouterHostileTest, AHundredThousandPartsAreCountedAndDropped) {
  RawPeer peer(Ipc("r"));
  const EncodedMessage good = EncodeMessage(Note(42, "good"));
  peer.Part(good.header, true);
  peer.Part(good.map, true);
  for (int i = 0; i < 99'997; ++i) peer.Part("body", true);
  peer.Part("body", false);
  auto incoming = Await(*router_);
  ASSERT_TRUE(incoming.has_value());
  EXPECT_EQ(incoming->correlation, 42u);
  ExpectError(std::move(incoming), "100000 parts; the limit is " + std::to_string(limits::kMaxParts));
  ExpectStillServing();
}

TEST_F(RouterHostileTest, TooManyBytesAreCountedAndDropped) {
  RawPeer peer(Ipc("r"));
  const EncodedMessage good = EncodeMessage(Note(42, "good"));
  const std::string large(limits::kMaxFrameBytes, 'x');
  peer.Send({good.header, good.map, large, large, large, large});
  auto incoming = Await(*router_);
  ASSERT_TRUE(incoming.has_value());
  EXPECT_EQ(incoming->correlation, 42u);
  ExpectError(std::move(incoming), "the limit is " + std::to_string(limits::kMaxMessageBytes));
  ExpectStillServing();
}

TEST_F(RouterHostileTest, APartOverTheLimitEndsTheConnection) {
  RawPeer peer(Ipc("r"));
  peer.Send({std::string(limits::kMaxFrameBytes + 1, 'x')});
  ExpectStillServing();
  EXPECT_FALSE(Await(*router_, std::chrono::milliseconds(50)).has_value());
}

// Bytes that are not ZMTP 3. libzmq takes some for its first protocol, which had no greeting, and delivers them.
TEST_F(RouterHostileTest, GarbageOnTheSocketIsIgnored) {
  Random random(7);
  for (int i = 0; i < 20; ++i) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_ / "r";
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    std::string garbage(1 + random.Below(4000), '\0');
    for (char& c : garbage) c = static_cast<char>(random.Next());
    ::send(fd.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL);
  }
  ExpectStillServing();
}

TEST_F(RouterHostileTest, ADealerSurvivesAHostileBrokerToo) {
  void* context = zmq_ctx_new();
  void* server = zmq_socket(context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(server, ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_bind(server, Ipc("evil").c_str()), 0);
  const auto dealer = Connect(Ipc("evil"));
  for (std::size_t i = 0; i < limits::kMaxParts; ++i) zmq_send(server, "x", 1, ZMQ_SNDMORE);
  zmq_send(server, "x", 1, 0);
  zmq_send(server, "junk", 4, 0);
  for (const char* part : {"limit", "not an Icarus message"}) {
    const auto received = Await(*dealer);
    ASSERT_TRUE(received.has_value());
    ASSERT_FALSE(received->has_value());
    EXPECT_NE(received->error().message.find(part), std::string::npos) << received->error().message;
  }
  zmq_close(server);
  zmq_ctx_term(context);
}

}  // namespace
}  // namespace icarus
