// The broker's two sockets, and who is behind which connection. Sessions are keyed by the instance id that a peer's
// Hello names, never by a routing id: a reconnected peer says Hello again and keeps its session.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/broker_core.h"
#include "common/base/result.h"
#include "common/transport/router_socket.h"

namespace icarus::broker {

struct Received {
  PeerRole role = PeerRole::kClient;
  Caller caller;
  Message message;
};

struct GatewayCounters {
  std::uint64_t received = 0;
  std::uint64_t malformed = 0;
  std::uint64_t unknown_peer = 0;
  std::uint64_t undeliverable = 0;
};

// One thread. What is not a message of ours is answered with an error and counted; it never goes further.
class Gateway {
 public:
  static Result<std::unique_ptr<Gateway>> Bind(TransportContext& context,
                                               const std::vector<std::string>& client_endpoints,
                                               const std::vector<std::string>& worker_endpoints);

  // The next message of a peer that has said Hello (or the Hello itself); nothing when none waits.
  std::optional<Received> Receive(PeerRole role);
  // To the peer with this instance id. A peer whose queue is full gets it later (Flush); one that is gone never: it
  // will say Hello again and be told anew.
  void Send(PeerRole role, const std::string& instance, const Message& message);
  // "I do not know you": the peer is to say Hello.
  void AnswerUnknown(const Received& received);
  // Tries again what could not be sent; true while something is left.
  bool Flush();

  const RouterSocket& socket(PeerRole role) const { return *side(role).socket; }
  const GatewayCounters& counters() const { return counters_; }

 private:
  struct Side {
    std::unique_ptr<RouterSocket> socket;
    std::unordered_map<std::string, std::string> instance_of;  // by routing id
    std::unordered_map<std::string, std::string> peer_of;      // by instance
    std::map<std::string, std::deque<Message>> backlog;        // by instance
  };
  Side& side(PeerRole role) { return role == PeerRole::kClient ? clients_ : workers_; }
  const Side& side(PeerRole role) const { return role == PeerRole::kClient ? clients_ : workers_; }
  void Introduce(Side& side, const std::string& peer, const std::string& instance);
  void Forget(Side& side, const std::string& instance);
  bool TrySend(Side& side, const std::string& instance, const Message& message);

  Side clients_;
  Side workers_;
  GatewayCounters counters_;
};

}  // namespace icarus::broker
