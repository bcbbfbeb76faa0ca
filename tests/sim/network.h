// A simulated network of connections to the one broker, as ZeroMQ gives them: in order while they live, with a new
// routing id after each break, and nobody told of it. Faults on top: loss, duplication, reordering, partitions.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/protocol/messages.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/trace.h"

namespace icarus::sim {

class Network {
 public:
  using Deliver = std::function<void(const std::string& routing_id, Message message)>;

  Network(Scheduler& scheduler, Random& random, const FaultPlan& plan, Trace& trace)
      : scheduler_(scheduler), random_(random), plan_(plan), trace_(trace) {}

  // --- the broker's end
  void BrokerUp(PeerRole role, Deliver on_message) { broker_[static_cast<int>(role)] = std::move(on_message); }
  void BrokerDown();  // every connection breaks
  // False: no such connection any more.
  bool SendToPeer(const std::string& routing_id, Message message);

  // --- a peer's end; `peer` names a process and its role
  void Connect(const std::string& peer, PeerRole role, std::function<void(Message)> on_message);
  void Disconnect(const std::string& peer);
  void SendToBroker(const std::string& peer, Message message);

  // --- faults
  void Reset(const std::string& peer);
  void Partition(const std::string& peer, bool to_broker, bool to_peer, Time for_ns);
  void Calm() { calm_ = true; }  // no more loss, duplication, reordering; partitions heal
  std::uint64_t faults() const { return faults_; }
  std::vector<std::string> peers() const;

 private:
  struct Direction {
    Time last_arrival = 0;
    Time blocked_until = 0;
  };
  struct Connection {
    PeerRole role = PeerRole::kClient;
    std::function<void(Message)> on_message;
    std::uint64_t generation = 0;  // of the connection; part of the routing id
    bool up = false;
    std::vector<Message> waiting;  // until it is up
    Direction to_broker;
    Direction to_peer;
  };
  std::string RoutingId(const std::string& peer, const Connection& connection) const {
    return peer + "#" + std::to_string(connection.generation);
  }
  bool Happens(Fault fault, double probability);
  void Establish(const std::string& peer);
  void Transmit(const std::string& peer, bool to_broker, const Message& message);
  void Arrive(const std::string& peer, std::uint64_t generation, bool to_broker, const Message& message);

  Scheduler& scheduler_;
  Random& random_;
  const FaultPlan& plan_;
  Trace& trace_;
  std::map<std::string, Connection> connections_;
  Deliver broker_[2];
  std::uint64_t last_generation_ = 0;
  std::uint64_t faults_ = 0;
  bool calm_ = false;
};

}  // namespace icarus::sim
