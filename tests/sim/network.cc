#include "tests/sim/network.h"

#include <algorithm>

namespace icarus::sim {

bool Network::Happens(Fault fault, double probability) {
  if (calm_ || !plan_.Has(fault) || random_.Unit() >= probability * plan_.rate) return false;
  ++faults_;
  return true;
}

void Network::BrokerDown() {
  broker_[0] = broker_[1] = nullptr;
  for (const std::string& peer : peers()) Reset(peer);
}

std::vector<std::string> Network::peers() const {
  std::vector<std::string> names;
  for (const auto& [peer, connection] : connections_) names.push_back(peer);
  return names;
}

void Network::Connect(const std::string& peer, PeerRole role, std::function<void(Message)> on_message) {
  Connection fresh;
  fresh.role = role;
  fresh.on_message = std::move(on_message);
  if (const auto old = connections_.find(peer); old != connections_.end()) {  // the wire stays as it was
    fresh.to_broker.blocked_until = old->second.to_broker.blocked_until;
    fresh.to_peer.blocked_until = old->second.to_peer.blocked_until;
  }
  fresh.generation = ++last_generation_;
  connections_[peer] = std::move(fresh);
  Establish(peer);
}

void Network::Disconnect(const std::string& peer) { connections_.erase(peer); }

// As long as nobody listens it is tried again.
void Network::Establish(const std::string& peer) {
  const std::uint64_t generation = connections_.at(peer).generation;
  const Time delay = kMillisecond / 10 + static_cast<Time>(random_.Below(kMillisecond));
  scheduler_.After(delay, [this, peer, generation] {
    const auto found = connections_.find(peer);
    if (found == connections_.end() || found->second.generation != generation) return;
    Connection& connection = found->second;
    const bool cut =
        !calm_ && std::max(connection.to_broker.blocked_until, connection.to_peer.blocked_until) > scheduler_.now();
    if (!broker_[static_cast<int>(connection.role)] || cut) {
      const Time again = 50 * kMillisecond + static_cast<Time>(random_.Below(200 * kMillisecond));
      scheduler_.After(again, [this, peer, generation] {
        const auto still = connections_.find(peer);
        if (still != connections_.end() && still->second.generation == generation) Establish(peer);
      });
      return;
    }
    connection.up = true;
    for (const Message& message : std::exchange(connection.waiting, {})) Transmit(peer, true, message);
  });
}

void Network::Reset(const std::string& peer) {
  const auto found = connections_.find(peer);
  if (found == connections_.end()) return;
  trace_.Add(scheduler_.now(), "reset " + peer);
  found->second.generation = ++last_generation_;
  found->second.up = false;
  found->second.to_broker.last_arrival = found->second.to_peer.last_arrival = 0;
  Establish(peer);
}

void Network::Partition(const std::string& peer, bool to_broker, bool to_peer, Time for_ns) {
  const auto found = connections_.find(peer);
  if (found == connections_.end()) return;
  const Time until = scheduler_.now() + for_ns;
  if (to_broker) found->second.to_broker.blocked_until = until;
  if (to_peer) found->second.to_peer.blocked_until = until;
}

bool Network::SendToPeer(const std::string& routing_id, Message message) {
  const std::string peer = routing_id.substr(0, routing_id.rfind('#'));
  const auto found = connections_.find(peer);
  if (found == connections_.end() || !found->second.up || RoutingId(peer, found->second) != routing_id) return false;
  Transmit(peer, false, message);
  return true;
}

void Network::SendToBroker(const std::string& peer, Message message) {
  const auto found = connections_.find(peer);
  if (found == connections_.end()) return;
  if (!found->second.up) {
    found->second.waiting.push_back(std::move(message));
    return;
  }
  Transmit(peer, true, message);
}

void Network::Transmit(const std::string& peer, bool to_broker, const Message& message) {
  Connection& connection = connections_.at(peer);
  Direction& direction = to_broker ? connection.to_broker : connection.to_peer;
  if (Happens(Fault::kLoss, 0.01)) return;
  const int copies = Happens(Fault::kDuplication, 0.02) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    Time arrival = std::max(scheduler_.now(), direction.blocked_until) + 20 * kMicrosecond +
                   static_cast<Time>(random_.Below(300 * kMicrosecond));
    if (random_.Below(50) == 0) arrival += static_cast<Time>(random_.Below(200 * kMillisecond));
    if (!Happens(Fault::kReordering, 0.03)) arrival = std::max(arrival, direction.last_arrival + 1);
    direction.last_arrival = std::max(direction.last_arrival, arrival);
    scheduler_.At(arrival, [this, peer, generation = connection.generation, to_broker, message] {
      Arrive(peer, generation, to_broker, message);
    });
  }
}

void Network::Arrive(const std::string& peer, std::uint64_t generation, bool to_broker, const Message& message) {
  const auto found = connections_.find(peer);
  if (found == connections_.end() || found->second.generation != generation) return;  // lost with its connection
  Direction& direction = to_broker ? found->second.to_broker : found->second.to_peer;
  if (direction.blocked_until > scheduler_.now() && !calm_) {
    scheduler_.At(direction.blocked_until + kMillisecond, [=, this] { Arrive(peer, generation, to_broker, message); });
    return;
  }
  if (!to_broker) {
    const auto handler = found->second.on_message;  // it may connect anew
    handler(message);
  } else if (const Deliver& broker = broker_[static_cast<int>(found->second.role)]) {
    broker(RoutingId(peer, found->second), message);
  }
}

}  // namespace icarus::sim
