#include "broker/net/gateway.h"

#include <bit>
#include <variant>

#include "common/base/logging.h"

namespace icarus::broker {
namespace {
// What a peer that does not read may make the broker hold: beyond these it is forgotten, says Hello when it wakes and
// asks again. A page of results is a message of up to kPageBytes.
constexpr int kClientSendLimit = 64;  // messages in the socket's own queue
constexpr std::size_t kBacklogMessages = 10'000;
constexpr std::size_t kBacklogBytes = 64u << 20;

std::size_t SizeOf(const Message& message) {
  constexpr std::size_t kAbout = 512;
  std::size_t bytes = kAbout;
  for (const Body& body : message.bodies) bytes += body->size();
  return bytes;
}
}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::Bind(TransportContext& context,
                                               const std::vector<std::string>& client_endpoints,
                                               const std::vector<std::string>& worker_endpoints) {
  auto gateway = std::make_unique<Gateway>();
  ICARUS_ASSIGN(gateway->clients_.socket, RouterSocket::Bind(context, client_endpoints, kClientSendLimit));
  ICARUS_ASSIGN(gateway->workers_.socket, RouterSocket::Bind(context, worker_endpoints));
  return gateway;
}

void Gateway::Forget(Side& side, const std::string& instance) {
  side.peers.Forget(instance);
  side.backlog.erase(instance);
}

void Gateway::RefuseMalformed(Side& from, const Incoming& incoming, std::uint64_t correlation, const Error& error) {
  const std::uint64_t count = ++counters_.malformed;
  if (std::has_single_bit(count)) {
    LogWarning("a message could not be read",
               {{"user", incoming.principal.user}, {"why", error.message}, {"so_far", count}});
  }
  (void)from.socket->Send(incoming.peer, Message{correlation, ToErrorReply(error), {}});
}

std::optional<Received> Gateway::Receive(PeerRole role) {
  Side& from = side(role);
  while (auto incoming = from.socket->Receive()) {
    ++counters_.received;
    if (!incoming->message) {
      RefuseMalformed(from, *incoming, incoming->correlation, incoming->message.error());
      continue;
    }
    Received received;
    received.role = role;
    received.caller.user = incoming->principal.user;
    received.caller.admin = incoming->principal.admin;
    received.message = std::move(*incoming->message);
    const bool greets = received.message.payload.is<Hello>();
    auto taken =
        greets ? TakeHello(from, *incoming, std::move(received)) : TakeOther(from, *incoming, std::move(received));
    if (taken) return taken;
  }
  return std::nullopt;
}

std::optional<Received> Gateway::TakeHello(Side& from, Incoming& incoming, Received received) {
  const auto& hello = received.message.payload.get<Hello>();
  if (hello.role != received.role) {
    const Error error = ProtocolError(
        "clients and workers have sockets of their own, and this is the other one; take the endpoint of the role from "
        "the access file",
        "role");
    RefuseMalformed(from, incoming, received.message.correlation, error);
    return std::nullopt;
  }
  if (!from.peers.OnHello(incoming.peer, hello.instance, received.message.stamp)) {
    ++counters_.out_of_order;
    return std::nullopt;
  }
  from.backlog.erase(hello.instance);  // it was for the session before
  received.caller.instance = hello.instance;
  return received;
}

std::optional<Received> Gateway::TakeOther(Side& from, Incoming& incoming, Received received) {
  PeerDirectory::Sender sender = from.peers.OnMessage(incoming.peer, received.message.stamp);
  if (sender.out_of_order) ++counters_.out_of_order;
  if (sender.kind == PeerDirectory::Sender::Kind::kUnknown) {
    ++counters_.unknown_peer;
    SayUnknown(from, incoming.peer, {received.message.stamp.session, 0});
  }
  if (sender.kind != PeerDirectory::Sender::Kind::kKnown) return std::nullopt;
  received.caller.instance = std::move(sender.instance);
  return received;
}

void Gateway::SayUnknown(Side& from, const std::string& peer, MessageStamp about) {
  HeartbeatReply reply;
  reply.known = false;
  (void)from.socket->Send(peer, Message{0, reply, {}, about});
}

void Gateway::AnswerUnknown(const Received& received) {
  Side& from = side(received.role);
  const std::string& instance = received.caller.instance;
  if (const std::string* peer = from.peers.RoutingIdOf(instance)) {
    SayUnknown(from, *peer, from.peers.SessionStamp(instance));
  }
}

bool Gateway::TrySend(Side& side, const std::string& instance, const Message& message) {
  const std::string* peer = side.peers.RoutingIdOf(instance);
  if (peer == nullptr) {
    ++counters_.undeliverable;
    return true;
  }
  const Status sent = side.socket->Send(*peer, message);
  if (sent) return true;
  if (sent.error().code == ErrorCode::kOverloaded) return false;
  ++counters_.undeliverable;
  if (sent.error().code == ErrorCode::kNotFound) Forget(side, std::string(instance));
  return true;
}

void Gateway::Send(PeerRole role, const std::string& instance, Message message) {
  Side& to = side(role);
  message.stamp = to.peers.NextStamp(instance);
  const auto waiting = to.backlog.find(instance);
  if (waiting == to.backlog.end() && TrySend(to, instance, message)) return;
  Backlog& backlog = to.backlog[instance];
  backlog.bytes += SizeOf(message);
  backlog.messages.push_back(std::move(message));
  if (backlog.messages.size() > kBacklogMessages || backlog.bytes > kBacklogBytes) Forget(to, std::string(instance));
}

bool Gateway::Flush() {
  bool left = false;
  for (Side* to : {&clients_, &workers_}) {
    for (auto it = to->backlog.begin(); it != to->backlog.end();) {
      const std::string instance = it->first;
      auto& [queue, bytes] = it->second;
      bool gone = false;
      while (!queue.empty() && TrySend(*to, instance, queue.front())) {
        gone = !to->backlog.contains(instance);
        if (gone) break;
        bytes -= SizeOf(queue.front());
        queue.pop_front();
      }
      if (gone) {
        it = to->backlog.upper_bound(instance);
      } else if (queue.empty()) {
        it = to->backlog.erase(it);
      } else {
        left = true;
        ++it;
      }
    }
  }
  return left;
}

}  // namespace icarus::broker
