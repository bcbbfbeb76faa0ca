#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include <thread>

#include "common/model/limits.h"
#include "common/protocol/codec.h"
#include "tests/unit/common/transport/fixture.h"

namespace icarus {
namespace {

class RouterDealerTest : public TransportTest {};

TEST_F(RouterDealerTest, CarriesMessagesBothWays) {
  for (const std::string& endpoint : {Ipc("r"), std::string("tcp://127.0.0.1:0")}) {
    const auto router = Bind(endpoint);
    const auto dealer = Connect(router->endpoints().at(0));
    ASSERT_TRUE(SendWhenWritable(*dealer, Note(7, "hello")).has_value());
    const auto request = Await(*router);
    ASSERT_TRUE(request && request->message) << endpoint;
    EXPECT_EQ(request->correlation, 7u);
    EXPECT_EQ(ReasonOf(*request->message), "hello");
    ASSERT_TRUE(router->Send(request->peer, Note(7, "welcome")).has_value());
    const auto answer = Await(*dealer);
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->correlation, 7u);
    EXPECT_EQ(ReasonOf(**answer), "welcome");
  }
}

TEST_F(RouterDealerTest, KeepsOrderAndTellsPeersApart) {
  const auto router = Bind(Ipc("r"));
  const auto one = Connect(Ipc("r"));
  const auto other = Connect(Ipc("r"));
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(SendWhenWritable(*one, Note(i, "one")).has_value());
    ASSERT_TRUE(SendWhenWritable(*other, Note(i, "other")).has_value());
  }
  std::map<std::string, std::uint64_t> next;
  std::map<std::string, std::string> peer_of;
  for (int i = 0; i < 200; ++i) {
    const auto incoming = Await(*router);
    ASSERT_TRUE(incoming && incoming->message);
    EXPECT_EQ(incoming->correlation, next[incoming->peer]++);
    peer_of[ReasonOf(*incoming->message)] = incoming->peer;
  }
  EXPECT_EQ(next.size(), 2u);
  ASSERT_TRUE(router->Send(peer_of["other"], Note(1, "for other")).has_value());
  ASSERT_TRUE(router->Send(peer_of["one"], Note(1, "for one")).has_value());
  EXPECT_EQ(ReasonOf(**Await(*one)), "for one");
  EXPECT_EQ(ReasonOf(**Await(*other)), "for other");
}

TEST_F(RouterDealerTest, CarriesBodiesOfEverySize) {
  const auto router = Bind(Ipc("r"));
  const auto dealer = Connect(Ipc("r"));
  std::vector<Body> bodies;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1023}, std::size_t{1024},
                                 std::size_t{100'000}, limits::kMaxFrameBytes}) {
    bodies.push_back(std::make_shared<const std::string>(size, static_cast<char>('a' + bodies.size())));
  }
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, std::string(5000, 'r'), bodies)).has_value());
  const auto incoming = Await(*router);
  ASSERT_TRUE(incoming && incoming->message) << (incoming ? incoming->message.error().message : "nothing");
  ASSERT_EQ(incoming->message->bodies.size(), bodies.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(*incoming->message->bodies[i], *bodies[i]) << i;
}

// A peer that takes one message at a time, so that what is sent to it waits in the router.
class SlowPeer {
 public:
  explicit SlowPeer(const std::string& endpoint) {
    const int one = 1;
    const int zero = 0;
    zmq_setsockopt(socket_, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
    EXPECT_EQ(zmq_connect(socket_, endpoint.c_str()), 0);
  }
  ~SlowPeer() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  SlowPeer(const SlowPeer&) = delete;
  SlowPeer& operator=(const SlowPeer&) = delete;

  void Send(const Message& message) {
    const EncodedMessage encoded = EncodeMessage(message);
    zmq_send(socket_, encoded.header.data(), encoded.header.size(), ZMQ_SNDMORE);
    zmq_send(socket_, encoded.map.data(), encoded.map.size(), 0);
  }
  void ReadPart() { EXPECT_GE(zmq_recv(socket_, nullptr, 0, 0), 0); }

 private:
  void* context_ = zmq_ctx_new();
  void* socket_ = zmq_socket(context_, ZMQ_DEALER);
};

TEST_F(RouterDealerTest, ALargeBodyIsNotCopiedButKeptUntilItIsSent) {
  const auto router = Bind(Ipc("r"));
  SlowPeer peer(Ipc("r"));
  peer.Send(Note(1, "hello"));
  const auto hello = Await(*router);
  ASSERT_TRUE(hello);
  std::weak_ptr<const std::string> last;
  constexpr int kBodies = 20;  // far more than the kernel buffers
  for (int i = 0; i < kBodies; ++i) {
    auto body = std::make_shared<const std::string>(1 << 20, 'x');
    last = body;
    ASSERT_TRUE(router->Send(hello->peer, Note(1, "take it", {std::move(body)})).has_value());
  }
  EXPECT_FALSE(last.expired()) << "it waits to be sent, and it is this one that waits";
  for (int i = 0; i < 3 * kBodies; ++i) peer.ReadPart();
  // The I/O thread lets go of it once the bytes are out, soon after they were read here.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!last.expired() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(last.expired());
}

TEST_F(RouterDealerTest, RefusesToSendWhatTheOtherEndWouldNotTake) {
  const auto router = Bind(Ipc("r"));
  const auto dealer = Connect(Ipc("r"));
  const auto large = std::make_shared<const std::string>(limits::kMaxFrameBytes + 1, 'x');
  const auto full = std::make_shared<const std::string>(limits::kMaxFrameBytes, 'x');
  const auto tiny = std::make_shared<const std::string>("x");
  for (const auto& bodies :
       {std::vector<Body>{large}, std::vector<Body>(5, full), std::vector<Body>(limits::kMaxParts, tiny)}) {
    const Status sent = SendWhenWritable(*dealer, Note(1, "too much", bodies));
    ASSERT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().code, ErrorCode::kRefused);
  }
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(2, "next")).has_value());
  EXPECT_EQ(Await(*router)->correlation, 2u);
}

TEST_F(RouterDealerTest, ThePrincipalIsTheUserWhoConnects) {
  const auto router = Bind(Ipc("r"));
  const auto dealer = Connect(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "who am I")).has_value());
  PrincipalTable table;
  const auto incoming = Await(*router);
  ASSERT_TRUE(incoming);
  EXPECT_EQ(incoming->principal, table.Of(":" + std::to_string(::geteuid()) + ":0:1"));
  EXPECT_TRUE(incoming->principal.admin);
}

TEST_F(RouterDealerTest, NobodyVouchesForATcpPeer) {
  const auto router = Bind("tcp://127.0.0.1:0");
  const auto dealer = Connect(router->endpoints().at(0));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "who am I")).has_value());
  const auto incoming = Await(*router);
  ASSERT_TRUE(incoming);
  EXPECT_EQ(incoming->principal, (Principal{"insecure", false}));
}

TEST_F(RouterDealerTest, APeerThatIsGoneIsNotFound) {
  const auto router = Bind(Ipc("r"));
  auto dealer = Connect(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "hello")).has_value());
  const auto hello = Await(*router);
  ASSERT_TRUE(hello);
  dealer.reset();
  // ZeroMQ learns of it in its own time; the loop gives that to it until the deadline.
  PollLoop loop;
  loop.Add(*router);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  Status sent = router->Send(hello->peer, Note(2, "still there?"));
  while (sent && std::chrono::steady_clock::now() < deadline) {
    ASSERT_TRUE(loop.Wait(std::chrono::milliseconds(5)).has_value());
    sent = router->Send(hello->peer, Note(2, "still there?"));
  }
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(router->Send("nobody", Note(3, "?")).error().code, ErrorCode::kNotFound);
}

TEST_F(RouterDealerTest, APeerThatDoesNotReadIsOverloadedAndNothingIsTorn) {
  const auto router = Bind(Ipc("r"));
  const auto dealer = Connect(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "hello")).has_value());
  const auto hello = Await(*router);
  ASSERT_TRUE(hello);
  const auto body = std::make_shared<const std::string>(2000, 'x');
  std::uint64_t sent = 0;
  Status status;
  while (sent < 1'000'000 && (status = router->Send(hello->peer, Note(sent, "more", {body})))) ++sent;
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kOverloaded);
  for (std::uint64_t i = 0; i < sent; ++i) {
    const auto received = Await(*dealer);
    ASSERT_TRUE(received && *received) << i;
    ASSERT_EQ((*received)->correlation, i);
    ASSERT_EQ((*received)->bodies.size(), 1u);
  }
  EXPECT_FALSE(dealer->Receive().has_value());
}

TEST_F(RouterDealerTest, NothingIsQueuedForABrokerThatIsNotThere) {
  const auto dealer = Connect(Ipc("r"));
  const Status early = dealer->Send(Note(1, "stale"));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, ErrorCode::kOverloaded);
  EXPECT_FALSE(dealer->WaitWritable(std::chrono::milliseconds(0)).value());
  const auto router = Bind(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(2, "fresh")).has_value());
  EXPECT_EQ(Await(*router)->correlation, 2u);
}

TEST_F(RouterDealerTest, ADealerFindsTheBrokerAgainByItself) {
  auto router = Bind(Ipc("r"));
  const auto dealer = Connect(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "before")).has_value());
  ASSERT_TRUE(Await(*router));
  router.reset();
  router = Bind(Ipc("r"));
  // A message may be lost with the old connection, as documented; a repeated one arrives.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::optional<Incoming> incoming;
  while (!incoming && std::chrono::steady_clock::now() < deadline) {
    ASSERT_TRUE(dealer->WaitWritable(std::chrono::milliseconds(200)).has_value());
    static_cast<void>(dealer->Send(Note(2, "after")));
    incoming = Await(*router, std::chrono::milliseconds(200));
  }
  ASSERT_TRUE(incoming && incoming->message);
  EXPECT_EQ(incoming->correlation, 2u);
}

TEST_F(RouterDealerTest, ReconnectGoesToAnotherEndpoint) {
  const auto old_broker = Bind(Ipc("old"));
  const auto new_broker = Bind(Ipc("new"));
  const auto dealer = Connect(Ipc("old"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "old")).has_value());
  ASSERT_TRUE(Await(*old_broker));
  PollLoop loop;  // a socket that reconnects stays in its loop
  const auto source = loop.Add(*dealer);
  ASSERT_TRUE(dealer->Reconnect(Ipc("new")).has_value());
  EXPECT_EQ(dealer->endpoint(), Ipc("new"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(2, "new")).has_value());
  const auto incoming = Await(*new_broker);
  ASSERT_TRUE(incoming);
  ASSERT_TRUE(new_broker->Send(incoming->peer, Note(2, "answer")).has_value());
  ASSERT_TRUE(loop.Wait(kPatience).has_value());
  EXPECT_TRUE(loop.Readable(source));
  EXPECT_FALSE(old_broker->Receive().has_value());
}

TEST_F(RouterDealerTest, OnlyConnectsToWhatCanBeConnectedTo) {
  for (const char* endpoint : {"tcp://*:1", "tcp://127.0.0.1:0", "nonsense"}) {
    const auto dealer = DealerSocket::Connect(*context_, endpoint);
    ASSERT_FALSE(dealer.has_value()) << endpoint;
    EXPECT_EQ(dealer.error().code, ErrorCode::kUsage);
  }
}

TEST_F(RouterDealerTest, TheContextRaisesTheLimitOfOpenFiles) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto another = TransportContext::Create();
  ASSERT_TRUE(another.has_value());
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, before.rlim_max);
}

}  // namespace
}  // namespace icarus
