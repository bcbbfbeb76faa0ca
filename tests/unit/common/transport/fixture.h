// What the transport tests share: a context, ipc endpoints in a directory of their own, and waiting with a deadline.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/transport/context.h"
#include "common/transport/dealer_socket.h"
#include "common/transport/poll_loop.h"
#include "common/transport/router_socket.h"
#include "tests/support/temp_dir.h"

namespace icarus {

inline constexpr std::chrono::seconds kPatience{10};

class TransportTest : public ::testing::Test {
 protected:
  std::string Ipc(const std::string& name) const { return "ipc://" + (dir_ / name); }

  std::unique_ptr<RouterSocket> Bind(const std::string& endpoint) {
    auto router = RouterSocket::Bind(*context_, {endpoint});
    EXPECT_TRUE(router.has_value()) << (router ? "" : router.error().message);
    return router ? std::move(*router) : nullptr;
  }

  std::unique_ptr<DealerSocket> Connect(const std::string& endpoint) {
    auto dealer = DealerSocket::Connect(*context_, endpoint);
    EXPECT_TRUE(dealer.has_value()) << (dealer ? "" : dealer.error().message);
    return dealer ? std::move(*dealer) : nullptr;
  }

  // The next message, waited for.
  template <class Socket>
  auto Await(Socket& socket, std::chrono::milliseconds patience = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    PollLoop loop;
    loop.Add(socket);
    auto received = socket.Receive();
    while (!received && std::chrono::steady_clock::now() < deadline) {
      EXPECT_TRUE(loop.Wait(deadline - std::chrono::steady_clock::now()).has_value());
      received = socket.Receive();
    }
    return received;
  }

  static Status SendWhenWritable(DealerSocket& dealer, const Message& message) {
    ICARUS_TRY(dealer.WaitWritable(kPatience));
    return dealer.Send(message);
  }

  static Message Note(std::uint64_t correlation, std::string reason, std::vector<Body> bodies = {}) {
    return Message{correlation, Goodbye{std::move(reason)}, std::move(bodies)};
  }

  static std::string ReasonOf(const Message& message) { return message.payload.get<Goodbye>().reason; }

  testing::TempDir dir_;
  std::unique_ptr<TransportContext> context_ = std::move(TransportContext::Create().value());
};

}  // namespace icarus
