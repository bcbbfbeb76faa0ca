// A worker in a simulation: its production core, and in place of launcher and solvers attempts that take their time and
// end as the seed says. Its processes die with it; a pause stops it, but not what it has launched.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/sim/broker_node.h"
#include "worker/core/worker_core.h"

namespace icarus::sim {

class WorkerNode {
 public:
  struct World {
    Scheduler& scheduler;
    Random& random;
    const FaultPlan& plan;
    Network& network;
    Oracle& oracle;
    Trace& trace;
    const BrokerNode& broker;
  };
  // `longest_run`: of an attempt.
  WorkerNode(World world, std::string name, int slots, Time longest_run)
      : world_(world), name_(std::move(name)), slots_(slots), longest_run_(longest_run) {}

  NodeClock clock;

  void Start();
  void Crash();  // `kill -9`, and everything that it launched with it
  void Pause(Time for_ns);
  void Drain();
  void Calm() { calm_ = true; }

  bool running() const { return core_ != nullptr; }
  const std::string& name() const { return name_; }
  std::size_t held() const { return core_ ? core_->held() : 0; }
  bool paused() const { return paused_until_ > world_.scheduler.now(); }

 private:
  struct Running {
    std::shared_ptr<const DispatchGroup> group;
    DispatchTask task;
    TaskError error;
    Time started = 0;
    bool killed = false;
    bool kills_worker = false;
    std::uint64_t ends = 0;  // which of the armed ends counts
  };
  Now Clock() const { return clock.At(world_.scheduler.now()); }
  std::string Peer() const { return name_ + ":" + std::to_string(life_); }
  void WakeAt(Time time);
  void Turn();
  void Take(Message message);
  void Handle(AnyMessage& payload);
  void PerformEffects();
  void Perform(worker::Effect& effect);
  void SendToBroker(worker::SendToBroker& send);
  void StartAttempt(const worker::StartAttempt& start);
  void KillAttempt(worker::AttemptId id);
  void ArmEnd(worker::AttemptId id, Time delay);
  void EndAttempt(worker::AttemptId id);
  void ForgetRunning();
  void NoteHeld();
  void Stop();  // the process is gone

  World world_;
  std::string name_;
  int slots_;
  Time longest_run_;
  std::unique_ptr<worker::WorkerCore> core_;
  std::string instance_;
  std::string predecessor_;
  std::string broker_instance_;
  SessionNumbers numbers_;
  std::deque<Message> inbox_;
  std::deque<std::function<void()>> events_;
  std::map<worker::AttemptId, Running> running_;
  std::map<ExecutionId, TaskRef> tasks_;
  std::set<std::pair<TaskRef, std::uint64_t>> noted_;
  std::uint64_t life_ = 0;
  Time paused_until_ = 0;
  std::optional<Time> wake_at_;
  bool exiting_ = false;
  bool calm_ = false;
};

}  // namespace icarus::sim
