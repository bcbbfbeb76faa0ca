#include "common/transport/router_socket.h"

#include <cerrno>
#include <utility>
#include <zmq.hpp>

#include "common/transport/context_impl.h"
#include "common/transport/endpoint.h"
#include "common/transport/endpoint_release.h"
#include "common/transport/message_frames.h"
#include "common/transport/socket_options.h"
#include "common/transport/unix_probe.h"

namespace icarus {

struct RouterSocket::Impl {
  zmq::context_t& context;
  zmq::socket_t socket;
  std::vector<std::string> endpoints;
  PrincipalTable principals;

  explicit Impl(TransportContext& owner) : context(owner.impl().zmq), socket(context, zmq::socket_type::router) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { ReleaseEndpoints(context.handle(), socket.handle(), endpoints); }
};

namespace {

Error BindError(const std::string& endpoint, int error_number) {
  const std::string what = "cannot listen on " + endpoint + ": ";
  switch (error_number) {
    case EADDRINUSE:
      return Error::Make(ErrorCode::kRefused,
                         what + "another program uses it; end that program or choose another port");
    case EADDRNOTAVAIL:
    case ENODEV:
      return Error::Make(ErrorCode::kRefused, what + "this machine has no such address; choose one of its own");
    case EACCES:
    case EPERM:
      return Error::Make(ErrorCode::kRefused,
                         what + "not permitted; choose a port above 1023 or a directory of your own");
    default: return IoError(what + zmq_strerror(error_number));
  }
}

Result<std::string> BindOne(zmq::socket_t& socket, const std::string& text) {
  ICARUS_ASSIGN(const Endpoint endpoint, ParseEndpoint(text));
  if (endpoint.kind == Endpoint::Kind::kIpc) {
    ICARUS_TRY(ReleaseStaleSocket(endpoint.path));
  }
  const std::string name = endpoint.ToString();
  if (zmq_bind(socket.handle(), name.c_str()) != 0) return BindError(name, zmq_errno());
  return socket.get(zmq::sockopt::last_endpoint);
}

}  // namespace

RouterSocket::RouterSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RouterSocket::~RouterSocket() = default;

Result<std::unique_ptr<RouterSocket>> RouterSocket::Bind(TransportContext& context,
                                                         const std::vector<std::string>& endpoints,
                                                         std::optional<int> send_limit) {
  try {
    auto impl = std::make_unique<Impl>(context);
    ICARUS_TRY(ApplySocketOptions(impl->socket.handle(), SocketRole::kRouter));
    if (send_limit) impl->socket.set(zmq::sockopt::sndhwm, *send_limit);
    for (const std::string& endpoint : endpoints) {
      ICARUS_ASSIGN(std::string bound, BindOne(impl->socket, endpoint));
      impl->endpoints.push_back(std::move(bound));
    }
    return std::unique_ptr<RouterSocket>(new RouterSocket(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return IoError(std::string("cannot make a socket: ") + error.what());
  }
}

const std::vector<std::string>& RouterSocket::endpoints() const { return impl_->endpoints; }

std::optional<Incoming> RouterSocket::Receive() {
  auto received = ReceiveMessage(impl_->socket.handle(), Addressing::kPeer);
  if (!received) return std::nullopt;
  return Incoming{std::move(received->peer), impl_->principals.Of(received->peer_address), received->correlation,
                  std::move(received->message)};
}

Status RouterSocket::Send(const std::string& peer, const Message& message) {
  return SendMessage(impl_->socket.handle(), &peer, message);
}

void* RouterSocket::handle() const { return impl_->socket.handle(); }

}  // namespace icarus
