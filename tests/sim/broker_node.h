// The broker in a simulation: its production core, batch gate and peer directory; a turn as the program takes it; a
// simulated disk, cache and network around them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/batch_gate.h"
#include "broker/core/broker_core.h"
#include "broker/net/peer_directory.h"
#include "tests/sim/disk.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/network.h"
#include "tests/sim/node_clock.h"
#include "tests/sim/oracle.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/trace.h"

namespace icarus::sim {

class BrokerNode {
 public:
  struct World {
    Scheduler& scheduler;
    Random& random;
    const FaultPlan& plan;
    Network& network;
    StoreImage& store;
    Oracle& oracle;
    Trace& trace;
  };
  BrokerNode(World world, broker::CoreConfig config) : world_(world), config_(std::move(config)) {}

  NodeClock clock;

  void Start();
  void Crash();
  void Pause(Time for_ns);
  void FillDisk(Time for_ns) { disk_full_until_ = world_.scheduler.now() + for_ns; }
  void FailDisk() { disk_fails_ = true; }  // with the next write
  void Calm();                             // no faults any more

  bool running() const { return core_ != nullptr; }
  const std::string& instance() const { return instance_; }
  const broker::BrokerCore* core() const { return core_.get(); }

 private:
  struct Received {
    PeerRole role;
    std::string routing_id;
    Message message;
  };
  Now Clock() const;
  Time Latency(Time usual);
  void Recover();
  void OnArrival(PeerRole role, const std::string& routing_id, Message message);
  void WakeAt(Time time);
  void Turn();
  void Handle(Received received);
  void CheckFencing();
  void SayUnknown(const std::string& routing_id, MessageStamp about);
  void Pump();
  void WriteBatch(const broker::RecordBatch& batch);
  void OnWritten();
  void Perform(std::vector<broker::Effect> effects);
  void Send(PeerRole role, const std::string& instance, Message message);
  void ReadTasks(const broker::ReadTasks& read);
  void LosePut(const broker::PutCache& put);
  void ReadCache(const ContentHash& key);
  // Runs it in a later turn of this process.
  void Later(Time delay, std::function<void()> action);

  World world_;
  broker::CoreConfig config_;
  std::string instance_;
  std::unique_ptr<broker::BrokerCore> core_;
  std::optional<broker::BatchGate> gate_;
  broker::PeerDirectory peers_[2];
  std::deque<Received> inbox_;
  std::deque<std::function<void()>> completions_;
  std::optional<broker::RecordBatch> writing_;
  broker::Outbox out_;
  CacheImage cache_;
  std::uint64_t cache_order_ = 0;
  std::string storage_reason_;
  std::uint64_t life_ = 0;  // of the process: what was armed for an earlier one does nothing
  std::chrono::nanoseconds clock_offset_{0};
  Time paused_until_ = 0;
  Time disk_full_until_ = 0;
  bool disk_fails_ = false;
  std::optional<Time> wake_at_;
  std::vector<ExecutionResult> taken_results_;
};

}  // namespace icarus::sim
