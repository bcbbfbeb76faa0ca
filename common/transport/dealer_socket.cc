#include "common/transport/dealer_socket.h"

#include <cerrno>
#include <utility>
#include <zmq.hpp>

#include "common/transport/context_impl.h"
#include "common/transport/endpoint.h"
#include "common/transport/message_frames.h"
#include "common/transport/poll_loop.h"
#include "common/transport/socket_options.h"

namespace icarus {

struct DealerSocket::Impl {
  TransportContext& context;
  std::string endpoint;
  zmq::socket_t socket{};
};

namespace {

Result<std::string> CheckConnectable(const std::string& text) {
  ICARUS_ASSIGN(const Endpoint endpoint, ParseEndpoint(text));
  if (endpoint.kind == Endpoint::Kind::kTcp && (endpoint.port == 0 || endpoint.address == "*")) {
    return UsageError("cannot connect to " + text + ": name the broker's address and port");
  }
  return endpoint.ToString();
}

Result<zmq::socket_t> OpenSocket(TransportContext& context, const std::string& endpoint) {
  try {
    zmq::socket_t socket(context.impl().zmq, zmq::socket_type::dealer);
    ICARUS_TRY(ApplySocketOptions(socket.handle(), SocketRole::kDealer));
    if (zmq_connect(socket.handle(), endpoint.c_str()) != 0) {
      return IoError("cannot connect to " + endpoint + ": " + zmq_strerror(zmq_errno()));
    }
    return socket;
  } catch (const zmq::error_t& error) {
    return IoError(std::string("cannot make a socket: ") + error.what());
  }
}

}  // namespace

DealerSocket::DealerSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DealerSocket::~DealerSocket() = default;

Result<std::unique_ptr<DealerSocket>> DealerSocket::Connect(TransportContext& context, const std::string& endpoint) {
  ICARUS_ASSIGN(std::string checked, CheckConnectable(endpoint));
  auto impl = std::make_unique<Impl>(Impl{context, std::move(checked)});
  ICARUS_ASSIGN(impl->socket, OpenSocket(context, impl->endpoint));
  return std::unique_ptr<DealerSocket>(new DealerSocket(std::move(impl)));
}

const std::string& DealerSocket::endpoint() const { return impl_->endpoint; }

std::optional<Result<Message>> DealerSocket::Receive() {
  auto received = ReceiveMessage(impl_->socket.handle(), Addressing::kNone);
  if (!received) return std::nullopt;
  return std::move(received->message);
}

Status DealerSocket::Send(const Message& message) { return SendMessage(impl_->socket.handle(), nullptr, message); }

Result<bool> DealerSocket::WaitWritable(std::chrono::milliseconds timeout) {
  PollLoop loop;
  const auto source = loop.Add(*this, PollLoop::kWritable);
  ICARUS_TRY(loop.Wait(timeout));
  return loop.Writable(source);
}

Status DealerSocket::Reconnect(const std::string& endpoint) {
  ICARUS_ASSIGN(std::string checked, CheckConnectable(endpoint.empty() ? impl_->endpoint : endpoint));
  ICARUS_ASSIGN(zmq::socket_t socket, OpenSocket(impl_->context, checked));
  const int no_linger = 0;  // what was queued is for a broker that is gone
  zmq_setsockopt(impl_->socket.handle(), ZMQ_LINGER, &no_linger, sizeof no_linger);
  impl_->socket = std::move(socket);
  impl_->endpoint = std::move(checked);
  return {};
}

void* DealerSocket::handle() const { return impl_->socket.handle(); }

}  // namespace icarus
