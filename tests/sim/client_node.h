// A client in a simulation: submits, cancels, retries, asks, watches; sends again what was not answered, as the client
// library does, and hands every answer to the oracle.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/broker_node.h"

namespace icarus::sim {

class ClientNode {
 public:
  struct World {
    Scheduler& scheduler;
    Random& random;
    Network& network;
    Oracle& oracle;
    Trace& trace;
    const StoreImage& store;
    const std::vector<JobId>& jobs;  // of everybody
  };
  ClientNode(World world, std::string user) : world_(world), user_(std::move(user)) {}

  void Start();
  void DoSomething();      // one more request
  void AskFor(JobId job);  // show and results of all of it
  std::size_t open() const { return requests_.size(); }
  std::string DescribeOpen() const;
  const std::string& user() const { return user_; }
  const std::vector<JobId>& own() const { return own_; }

 private:
  struct Request {
    AnyMessage payload;
    bool sent = false;
    Time sent_at = 0;
  };
  std::string Peer() const { return user_ + ":1"; }
  void Ask(AnyMessage payload);
  void SendHello();
  void SendOpen();
  void Send(Message message);
  void Tick();
  void Take(const Message& message);
  void TakeAnswer(const Request& request, const Message& message);
  JobSpec DrawSpec();
  std::optional<JobId> DrawJob();

  World world_;
  std::string user_;
  SessionNumbers numbers_;
  std::uint64_t last_correlation_ = 0;
  std::uint64_t hello_ = 0;
  Time heard_ = 0;
  std::map<std::uint64_t, Request> requests_;
  std::set<std::uint64_t> watches_;
  std::vector<JobId> own_;
  std::uint64_t submissions_ = 0;
};

}  // namespace icarus::sim
