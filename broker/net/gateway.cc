#include "broker/net/gateway.h"

#include <variant>

namespace icarus::broker {
namespace {
constexpr std::size_t kBacklogMessages = 10'000;  // a peer; one that does not read is forgotten above it
}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::Bind(TransportContext& context,
                                               const std::vector<std::string>& client_endpoints,
                                               const std::vector<std::string>& worker_endpoints) {
  auto gateway = std::make_unique<Gateway>();
  ICARUS_ASSIGN(gateway->clients_.socket, RouterSocket::Bind(context, client_endpoints));
  ICARUS_ASSIGN(gateway->workers_.socket, RouterSocket::Bind(context, worker_endpoints));
  return gateway;
}

void Gateway::Introduce(Side& side, const std::string& peer, const std::string& instance) {
  if (const auto old = side.peer_of.find(instance); old != side.peer_of.end()) side.instance_of.erase(old->second);
  side.instance_of[peer] = instance;
  side.peer_of[instance] = peer;
}

void Gateway::Forget(Side& side, const std::string& instance) {
  if (const auto peer = side.peer_of.find(instance); peer != side.peer_of.end()) {
    side.instance_of.erase(peer->second);
    side.peer_of.erase(peer);
  }
  side.backlog.erase(instance);
}

std::optional<Received> Gateway::Receive(PeerRole role) {
  Side& from = side(role);
  while (auto incoming = from.socket->Receive()) {
    ++counters_.received;
    if (!incoming->message) {
      ++counters_.malformed;
      (void)from.socket->Send(incoming->peer,
                              Message{incoming->correlation, ToErrorReply(incoming->message.error()), {}});
      continue;
    }
    Received received;
    received.role = role;
    received.caller.user = incoming->principal.user;
    received.caller.admin = incoming->principal.admin;
    received.message = std::move(*incoming->message);
    if (const auto* hello = std::get_if<Hello>(&received.message.payload)) {
      if (hello->role != role) {
        ++counters_.malformed;
        const Error error =
            ProtocolError("clients and workers have sockets of their own; this is the other one", "role");
        (void)from.socket->Send(incoming->peer, Message{received.message.correlation, ToErrorReply(error), {}});
        continue;
      }
      received.caller.instance = hello->instance;
      Introduce(from, incoming->peer, hello->instance);
      return received;
    }
    const auto known = from.instance_of.find(incoming->peer);
    if (known == from.instance_of.end()) {
      ++counters_.unknown_peer;
      HeartbeatReply reply;
      reply.known = false;
      (void)from.socket->Send(incoming->peer, Message{0, reply, {}});
      continue;
    }
    received.caller.instance = known->second;
    return received;
  }
  return std::nullopt;
}

void Gateway::AnswerUnknown(const Received& received) {
  HeartbeatReply reply;
  reply.known = false;
  Send(received.role, received.caller.instance, Message{0, reply, {}});
}

bool Gateway::TrySend(Side& side, const std::string& instance, const Message& message) {
  const auto peer = side.peer_of.find(instance);
  if (peer == side.peer_of.end()) {
    ++counters_.undeliverable;
    return true;
  }
  const Status sent = side.socket->Send(peer->second, message);
  if (sent) return true;
  if (sent.error().code == ErrorCode::kOverloaded) return false;
  ++counters_.undeliverable;
  if (sent.error().code == ErrorCode::kNotFound) Forget(side, std::string(instance));
  return true;
}

void Gateway::Send(PeerRole role, const std::string& instance, const Message& message) {
  Side& to = side(role);
  const auto waiting = to.backlog.find(instance);
  if (waiting == to.backlog.end() && TrySend(to, instance, message)) return;
  auto& queue = to.backlog[instance];
  queue.push_back(message);
  if (queue.size() > kBacklogMessages) Forget(to, std::string(instance));
}

bool Gateway::Flush() {
  bool left = false;
  for (Side* to : {&clients_, &workers_}) {
    for (auto it = to->backlog.begin(); it != to->backlog.end();) {
      const std::string instance = it->first;
      auto& queue = it->second;
      bool gone = false;
      while (!queue.empty() && TrySend(*to, instance, queue.front())) {
        gone = !to->backlog.contains(instance);
        if (gone) break;
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
