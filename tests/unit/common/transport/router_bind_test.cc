#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "common/base/unique_fd.h"
#include "common/transport/endpoint.h"
#include "tests/unit/common/transport/fixture.h"

namespace icarus {
namespace {

class RouterBindTest : public TransportTest {};

// A socket at the path whose owner died: bound, and closed without being removed.
void LeaveDeadSocket(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

TEST_F(RouterBindTest, ALivePathIsNotStolen) {
  const auto first = Bind(Ipc("r"));
  const auto second = RouterSocket::Bind(*context_, {Ipc("r")});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kRefused);
  EXPECT_NE(second.error().message.find(dir_ / "r"), std::string::npos);
  const auto dealer = Connect(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "to the first")).has_value());
  EXPECT_TRUE(Await(*first).has_value());
}

TEST_F(RouterBindTest, ADeadPathIsTakenOver) {
  LeaveDeadSocket(dir_ / "r");
  const auto router = Bind(Ipc("r"));
  ASSERT_NE(router, nullptr);
  const auto dealer = Connect(Ipc("r"));
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "hello")).has_value());
  EXPECT_TRUE(Await(*router).has_value());
}

TEST_F(RouterBindTest, AFileInTheWayIsLeftAlone) {
  ASSERT_TRUE(WriteFileAtomically(dir_ / "r", "precious", 0600).has_value());
  const auto router = RouterSocket::Bind(*context_, {Ipc("r")});
  ASSERT_FALSE(router.has_value());
  EXPECT_EQ(router.error().code, ErrorCode::kRefused);
  EXPECT_EQ(ReadFile(dir_ / "r", 100).value(), "precious");
}

TEST_F(RouterBindTest, APortInUseIsNamed) {
  const auto first = Bind("tcp://127.0.0.1:0");
  const std::string taken = first->endpoints().at(0);
  EXPECT_NE(ParseEndpoint(taken)->port, 0);
  const auto second = RouterSocket::Bind(*context_, {taken});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kRefused);
  const std::string name = ParseEndpoint(taken)->ToString();
  EXPECT_NE(second.error().message.find(name), std::string::npos) << second.error().message;
}

TEST_F(RouterBindTest, ListensOnSeveralEndpointsOrOnNone) {
  const auto both = RouterSocket::Bind(*context_, {Ipc("r"), "tcp://127.0.0.1:0"});
  ASSERT_TRUE(both.has_value());
  ASSERT_EQ((*both)->endpoints().size(), 2u);
  for (const std::string& endpoint : (*both)->endpoints()) {
    const auto dealer = Connect(endpoint);
    ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, endpoint)).has_value());
    EXPECT_EQ(ReasonOf(*Await(**both)->message), endpoint);
  }
  // The second cannot be had: the first is given back.
  ASSERT_FALSE(RouterSocket::Bind(*context_, {Ipc("a"), Ipc("r")}).has_value());
  EXPECT_NE(Bind(Ipc("a")), nullptr);
}

TEST_F(RouterBindTest, GivesItsEndpointsBackWhenItEnds) {
  auto router = RouterSocket::Bind(*context_, {Ipc("r"), "tcp://127.0.0.1:0"});
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(router.has_value()) << round << ": " << router.error().message;
    const std::vector<std::string> endpoints = (*router)->endpoints();
    router->reset();
    EXPECT_FALSE(PathExists(dir_ / "r"));
    router = RouterSocket::Bind(*context_, endpoints);
  }
}

TEST_F(RouterBindTest, AnAddressOfAnotherMachineAndAMissingDirectoryAreErrors) {
  const auto foreign = RouterSocket::Bind(*context_, {"tcp://192.0.2.1:5555"});  // reserved for documentation, RFC 5737
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, ErrorCode::kRefused) << foreign.error().message;
  EXPECT_FALSE(RouterSocket::Bind(*context_, {Ipc("missing/r")}).has_value());
  EXPECT_EQ(RouterSocket::Bind(*context_, {"r"}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace icarus
