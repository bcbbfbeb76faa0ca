#include "tests/integration/fake_broker.h"

#include "common/base/random.h"
#include "common/config/access_file.h"
#include "common/protocol/result_codec.h"
#include "common/transport/poll_loop.h"

namespace icarus::testing {

FakeBroker::FakeBroker(const Home& home) {
  const std::string instance = RandomHex(4);
  auto context = TransportContext::Create();
  context_ = std::move(*context);
  auto socket = RouterSocket::Bind(*context_, {"ipc://" + home.dir + "/" + instance + ".sock"});
  EXPECT_TRUE(socket.has_value());
  socket_ = std::move(*socket);
  AccessFile access;
  access.worker_endpoints = access.client_endpoints = socket_->endpoints();
  access.host = ThisHost();
  access.instance = instance;
  access.pid = ::getpid();
  EXPECT_TRUE(WriteAccessFile(home.access_file(), access).has_value());
}

std::optional<Message> FakeBroker::Receive(std::chrono::steady_clock::time_point until) {
  PollLoop loop;
  loop.Add(*socket_);
  while (true) {
    while (auto incoming = socket_->Receive()) {
      EXPECT_TRUE(incoming->message.has_value());
      peer_ = incoming->peer;
      correlation_ = incoming->correlation;
      if (!Serve(*incoming->message)) return std::move(*incoming->message);
    }
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return std::nullopt;
    EXPECT_TRUE(loop.Wait(left).has_value());
  }
}

bool FakeBroker::Serve(const Message& message) {
  if (message.payload.is<Heartbeat>()) {
    // The worker that sent it may have been killed since.
    static_cast<void>(socket_->Send(peer_, Message{message.correlation, HeartbeatReply{}, {}}));
    return true;
  }
  if (const auto* get = message.payload.get_if<BlobGet>()) {
    const auto found = files.find(get->hash);
    if (found == files.end()) {
      Send(ErrorReply{ErrorCode::kNotFound, "there is no such file", {}, {}}, message.correlation);
    } else {
      auto bytes = std::make_shared<const std::string>(found->second.substr(get->offset, get->length));
      Send(BlobData{get->hash, get->offset, found->second.size()}, message.correlation, {std::move(bytes)});
    }
    return true;
  }
  if (const auto* put = message.payload.get_if<BlobPut>()) {
    std::string& file = files[put->hash];
    if (!message.bodies.empty() && put->offset == file.size()) file += *message.bodies[0];
    Send(BlobPutReply{put->hash, file.size(), file.size() == put->size}, message.correlation);
    return true;
  }
  return false;
}

void FakeBroker::Send(AnyMessage payload, std::uint64_t correlation, std::vector<Body> bodies) {
  EXPECT_TRUE(socket_->Send(peer_, Message{correlation, std::move(payload), std::move(bodies)}).has_value());
}

std::optional<Hello> FakeBroker::Welcome(std::vector<ExecutionId> unknown) {
  auto hello = Next<Hello>();
  icarus::Welcome welcome;
  welcome.broker = "fake";
  welcome.unknown = std::move(unknown);
  if (hello) Send(welcome, correlation_);
  return hello;
}

std::optional<ExecutionResult> FakeBroker::Result(std::chrono::seconds within) {
  auto results = Next<Results>(within);
  if (!results) return std::nullopt;
  EXPECT_EQ(1u, results->results.size());
  Send(ResultsAck{{results->results[0].execution}, 0});
  return results->results[0];
}

ResultBody FakeBroker::BodyOf(const ExecutionResult& result) const {
  if (result.body < 0) return {};
  auto body = DecodeResultBody(*bodies_.at(static_cast<std::size_t>(result.body)));
  EXPECT_TRUE(body.has_value());
  return body.value_or(ResultBody{});
}

DispatchGroup CommandGroup(std::vector<std::string> argv, std::uint64_t execution) {
  DispatchGroup group;
  group.job = JobId(7);
  group.analysis = group.solver = "command";
  group.command = CommandSpec{};
  group.command->argv = std::move(argv);
  DispatchTask task;
  task.execution = ExecutionId(execution);
  task.token = Token(100 + execution);
  task.index = 2;
  group.tasks.push_back(std::move(task));
  return group;
}

}  // namespace icarus::testing
