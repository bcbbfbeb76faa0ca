#include "broker/core/worker_registry.h"

#include <algorithm>
#include <limits>

namespace icarus::broker {

bool WorkerState::CanEverRun(const RequestClass& request) const {
  const auto solver = hello.solvers.find(request.solver);
  if (solver == hello.solvers.end() || solver->second != request.identity) return false;
  if (request.resources.cpus > hello.slots) return false;
  if (request.resources.memory_bytes > 0 && request.resources.memory_bytes > hello.memory_bytes) return false;
  for (const auto& [name, value] : request.require) {
    const auto label = hello.labels.find(name);
    if (label == hello.labels.end() || label->second != value) return false;
  }
  return true;
}

std::int64_t WorkerState::RoomFor(const RequestClass& request, std::int64_t extra_slots) const {
  if (!takes_work() || !CanEverRun(request)) return 0;
  std::int64_t room = (hello.slots + extra_slots - cpus_used) / request.resources.cpus;
  if (request.resources.memory_bytes > 0) {
    room = std::min(room, (hello.memory_bytes - memory_used) / request.resources.memory_bytes);
  }
  for (const auto& [name, count] : request.resources.named) {
    const auto mine = hello.resources.find(name);
    if (mine == hello.resources.end()) continue;  // a cluster-wide one: not the worker's to count
    const auto used = resources_used.find(name);
    room = std::min(room, (mine->second - (used == resources_used.end() ? 0 : used->second)) / count);
  }
  return std::max<std::int64_t>(room, 0);
}

void WorkerState::Take(const RequestClass& request) {
  cpus_used += request.resources.cpus;
  memory_used += request.resources.memory_bytes;
  for (const auto& [name, count] : request.resources.named) resources_used[name] += count;
}

void WorkerState::GiveBack(const RequestClass& request) {
  cpus_used -= request.resources.cpus;
  memory_used -= request.resources.memory_bytes;
  for (const auto& [name, count] : request.resources.named) resources_used[name] -= count;
}

WorkerState* WorkerRegistry::Find(const std::string& instance) {
  const auto it = workers_.find(instance);
  return it == workers_.end() ? nullptr : &it->second;
}

WorkerState* WorkerRegistry::FindByName(const std::string& name) {
  for (auto& [instance, worker] : workers_) {
    if (worker.hello.name == name && !worker.lost) return &worker;
  }
  return nullptr;
}

}  // namespace icarus::broker
