#include "common/transport/socket_options.h"

#include <gtest/gtest.h>
#include <zmq.h>

#include <set>
#include <string>

#include "tests/unit/common/transport/fixture.h"

namespace icarus {
namespace {

long long ReadBack(void* socket, const SocketOption& option) {
  int value = -12345;
  std::int64_t wide = -12345;
  std::size_t size = option.wide ? sizeof wide : sizeof value;
  void* into = option.wide ? static_cast<void*>(&wide) : static_cast<void*>(&value);
  EXPECT_EQ(zmq_getsockopt(socket, option.id, into, &size), 0) << option.name;
  return option.wide ? wide : value;
}

class SocketOptionsTest : public TransportTest {};

TEST_F(SocketOptionsTest, ARouterHasThemAll) {
  const auto router = Bind(Ipc("r"));
  for (const SocketOption& option : SocketOptions()) {
    if (!option.for_router || !option.readable) continue;
    EXPECT_EQ(ReadBack(router->handle(), option), option.router) << option.name;
  }
}

TEST_F(SocketOptionsTest, ADealerHasThemAllAlsoAfterReconnecting) {
  const auto dealer = Connect(Ipc("r"));
  for (int round = 0; round < 2; ++round) {
    for (const SocketOption& option : SocketOptions()) {
      if (!option.for_dealer || !option.readable) continue;
      EXPECT_EQ(ReadBack(dealer->handle(), option), option.dealer) << option.name;
    }
    ASSERT_TRUE(dealer->Reconnect().has_value());
  }
}

TEST_F(SocketOptionsTest, TheTableHasWhatTheDesignRestsOnAndNotWhatAborts) {
  std::set<int> ids;
  for (const SocketOption& option : SocketOptions()) ids.insert(option.id);
  for (const int id : {ZMQ_LINGER, ZMQ_SNDHWM, ZMQ_RCVHWM, ZMQ_MAXMSGSIZE, ZMQ_HANDSHAKE_IVL, ZMQ_IMMEDIATE,
                       ZMQ_RECONNECT_IVL, ZMQ_RECONNECT_IVL_MAX, ZMQ_ROUTER_MANDATORY}) {
    EXPECT_TRUE(ids.contains(id)) << id;
  }
  for (const int id :
       {ZMQ_HEARTBEAT_IVL, ZMQ_HEARTBEAT_TTL, ZMQ_HEARTBEAT_TIMEOUT, ZMQ_ROUTING_ID, ZMQ_ROUTER_HANDOVER}) {
    EXPECT_FALSE(ids.contains(id)) << id;
  }
}

}  // namespace
}  // namespace icarus
