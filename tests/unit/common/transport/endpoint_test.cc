#include "common/transport/endpoint.h"

#include <gtest/gtest.h>

namespace icarus {
namespace {

TEST(Endpoint, ReadsBothKinds) {
  const auto ipc = ParseEndpoint("ipc:///run/icarus/clients");
  ASSERT_TRUE(ipc.has_value());
  EXPECT_EQ(ipc->kind, Endpoint::Kind::kIpc);
  EXPECT_EQ(ipc->path, "/run/icarus/clients");
  const auto tcp = ParseEndpoint("tcp://10.0.0.7:5555");
  ASSERT_TRUE(tcp.has_value());
  EXPECT_EQ(tcp->kind, Endpoint::Kind::kTcp);
  EXPECT_EQ(tcp->address, "10.0.0.7");
  EXPECT_EQ(tcp->port, 5555);
}

TEST(Endpoint, PrintsWhatItRead) {
  for (const char* text :
       {"ipc:///a", "tcp://host.example:1", "tcp://[::1]:65535", "tcp://*:80", "tcp://127.0.0.1:0"}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint->ToString(), text);
  }
  EXPECT_EQ(ParseEndpoint("tcp://127.0.0.1:*")->port, 0);
  EXPECT_EQ(ParseEndpoint("tcp://[::ffff:127.0.0.1]:7")->ToString(), "tcp://127.0.0.1:7");
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"", "clients", "ipc://", "ipc://relative", "tcp://", "tcp://host", "tcp://:5555",
                           "tcp://host:", "tcp://host:65536", "tcp://host:5e3", "tcp://host:-1", "tcp://::1:5555",
                           "tcp://[10.0.0.1]:1", "tcp://a b:1", "udp://host:1", "tcp://a;b:1"}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_FALSE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kUsage);
  }
}

TEST(Endpoint, APathMayHave107Bytes) {
  const std::string longest = "ipc:///" + std::string(kMaxIpcPathBytes - 1, 'x');
  EXPECT_TRUE(ParseEndpoint(longest).has_value());
  const auto longer = ParseEndpoint(longest + "x");
  ASSERT_FALSE(longer.has_value());
  EXPECT_NE(longer.error().message.find("107"), std::string::npos) << longer.error().message;
}

TEST(Endpoint, KnowsWhatStaysOnThisMachine) {
  for (const char* text :
       {"ipc:///a", "tcp://127.0.0.1:1", "tcp://127.8.0.1:1", "tcp://[::1]:1", "tcp://localhost:1"}) {
    EXPECT_TRUE(ParseEndpoint(text)->IsLocalOnly()) << text;
  }
  for (const char* text : {"tcp://*:1", "tcp://0.0.0.0:1", "tcp://10.0.0.1:1", "tcp://127.example.org:1"}) {
    EXPECT_FALSE(ParseEndpoint(text)->IsLocalOnly()) << text;
  }
}

}  // namespace
}  // namespace icarus
