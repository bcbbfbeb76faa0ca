// The workers that the broker knows, by instance.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "broker/core/host_gate.h"
#include "broker/core/request_class.h"
#include "common/model/ids.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

struct WorkerState {
  std::string instance;
  std::string host;
  std::int64_t pid = 0;
  WorkerHello hello;
  bool lost = false;
  bool draining = false;           // it said so, or it was told to
  HostGate gate;                   // closed: its machine is short of something
  std::int64_t last_heard_ms = 0;  // monotonic
  Telemetry telemetry;
  std::set<ExecutionId> assigned;  // at the worker, in order of dispatch
  std::int64_t cpus_used = 0;
  std::int64_t memory_used = 0;
  std::map<std::string, std::int64_t> resources_used;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;

  bool takes_work() const { return !lost && !draining && gate.held_reason().empty(); }
  bool CanEverRun(const RequestClass& request) const;
  // Room for how many more of the class, with `extra_slots` beyond its own (prefetch).
  std::int64_t RoomFor(const RequestClass& request, std::int64_t extra_slots) const;
  void Take(const RequestClass& request);
  void GiveBack(const RequestClass& request);
};

class WorkerRegistry {
 public:
  WorkerState& Register(const std::string& instance) { return workers_[instance]; }
  WorkerState* Find(const std::string& instance);
  WorkerState* FindByName(const std::string& name);
  void Erase(const std::string& instance) { workers_.erase(instance); }
  std::map<std::string, WorkerState>& all() { return workers_; }
  const std::map<std::string, WorkerState>& all() const { return workers_; }

 private:
  std::map<std::string, WorkerState> workers_;
};

}  // namespace icarus::broker
