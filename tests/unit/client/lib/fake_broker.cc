#include "tests/unit/client/lib/fake_broker.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/config/access_file.h"
#include "common/transport/poll_loop.h"
#include "common/transport/router_socket.h"
#include "common/transport/wake_fd.h"

namespace icarus::client {

struct FakeBroker::Sockets {
  std::unique_ptr<TransportContext> context;
  std::unique_ptr<RouterSocket> router;
  WakeFd wake;
};

FakeBroker::FakeBroker(const Home& home, const std::string& instance, Handler handler)
    : handler_(std::move(handler)), instance_(instance) {
  auto context = TransportContext::Create();
  auto wake = WakeFd::Create();
  ICARUS_CHECK(context.has_value() && wake.has_value());
  // A path of its own each: as after a restart elsewhere.
  auto router = RouterSocket::Bind(**context, {"ipc://" + home.dir + "/" + instance});
  ICARUS_CHECK(router.has_value());
  AccessFile access;
  access.client_endpoints = (*router)->endpoints();
  access.worker_endpoints = access.client_endpoints;
  access.host = ThisHost();
  access.instance = instance;
  access.pid = ::getpid();
  ICARUS_CHECK(WriteAccessFile(home.access_file(), access).has_value());
  sockets_ = std::make_unique<Sockets>(Sockets{std::move(*context), std::move(*router), std::move(*wake)});
  thread_ = std::thread([this] { Serve(); });
}

FakeBroker::~FakeBroker() {
  stop_ = true;
  sockets_->wake.Wake();
  thread_.join();
  sockets_->router.reset();
}

std::vector<Message> FakeBroker::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::vector<Message> FakeBroker::Answer(const Message& message) {
  if (message.payload.is<Hello>()) {
    known_ = true;
    Welcome welcome;
    welcome.broker = instance_;
    welcome.user = "tester";
    welcome.program = "fake 1";
    return {Message{message.correlation, welcome, {}}};
  }
  if (message.payload.is<Heartbeat>()) {
    return {Message{message.correlation, HeartbeatReply{known_, false}, {}}};
  }
  if (message.payload.is<Goodbye>()) return {};
  std::vector<Message> answers = handler_(message);
  for (Message& answer : answers) answer.correlation = message.correlation;
  return answers;
}

void FakeBroker::Serve() {
  PollLoop loop;
  loop.Add(*sockets_->router);
  loop.Add(sockets_->wake.fd());
  while (!stop_) {
    ICARUS_CHECK(loop.Wait(std::nullopt).has_value());
    while (auto incoming = sockets_->router->Receive()) {
      if (!incoming->message) continue;
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(*incoming->message);
      }
      for (const Message& answer : Answer(*incoming->message)) {
        const Status sent = sockets_->router->Send(incoming->peer, answer);
        EXPECT_TRUE(sent || sent.error().code == ErrorCode::kNotFound);  // the client may have gone
      }
    }
  }
}

}  // namespace icarus::client
