// The broker's two sockets, and what waits for peers that do not read.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "broker/net/peer_directory.h"
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
  std::uint64_t out_of_order = 0;  // repeated, overtaken, or with one missing before it
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
  void Send(PeerRole role, const std::string& instance, Message message);
  // The peer has left.
  void Forget(PeerRole role, const std::string& instance) { Forget(side(role), instance); }
  // "I do not know you": the peer is to say Hello.
  void AnswerUnknown(const Received& received);
  // Tries again what could not be sent; true while something is left.
  bool Flush();

  const RouterSocket& socket(PeerRole role) const { return *side(role).socket; }
  const GatewayCounters& counters() const { return counters_; }

 private:
  struct Backlog {
    std::deque<Message> messages;
    std::size_t bytes = 0;
  };
  struct Side {
    std::unique_ptr<RouterSocket> socket;
    PeerDirectory peers;
    std::map<std::string, Backlog> backlog;  // by instance
  };
  Side& side(PeerRole role) { return role == PeerRole::kClient ? clients_ : workers_; }
  const Side& side(PeerRole role) const { return role == PeerRole::kClient ? clients_ : workers_; }
  std::optional<Received> TakeHello(Side& from, Incoming& incoming, Received received);
  std::optional<Received> TakeOther(Side& from, Incoming& incoming, Received received);
  void RefuseMalformed(Side& from, const Incoming& incoming, std::uint64_t correlation, const Error& error);
  void SayUnknown(Side& from, const std::string& peer, MessageStamp about);
  void Forget(Side& side, const std::string& instance);
  bool TrySend(Side& side, const std::string& instance, const Message& message);

  Side clients_;
  Side workers_;
  GatewayCounters counters_;
};

}  // namespace icarus::broker
