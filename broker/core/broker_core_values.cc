// The core's part of intermediate values: entries of the result cache that solvers keep for one another, each analysis
// and solver identity, or program and user, in a namespace of its own.
#include <utility>

#include "broker/core/broker_core.h"
#include "common/analysis/cache_key.h"
#include "common/analysis/program_identity.h"

namespace icarus::broker {

// None: it is not an execution of this worker, or its job wants no cache.
std::optional<BrokerCore::ValueSpace> BrokerCore::ValueSpaceOf(const WorkerState& worker, ExecutionId id) {
  const Execution* execution = executions_.Find(id);
  if (execution == nullptr || execution->instance != worker.instance || !execution->at_worker()) return std::nullopt;
  const TaskRef leader = execution->leader();
  const Job& job = *jobs_.at(leader.job);
  const JobSpec& spec = job.spec();
  if (job.identity.empty() || spec.cache == CachePolicy::kNone) return std::nullopt;
  if (!spec.command) return ValueSpace{job, job.identity};
  // A solver is the same for everybody; what a program keeps is for the user whose program it is.
  const TaskPoint point = spec.sweep.At(leader.index);
  const std::string target = spec.sweep.targets.empty() ? "" : spec.sweep.targets[point.target].name;
  const auto program = ProgramIdentity(job.record().user, *spec.command, point.params, leader.index, target);
  return program ? std::optional(ValueSpace{job, *program}) : std::nullopt;
}

std::string BrokerCore::ValueSpace::FormOf(const std::string& key) const {
  return IntermediateForm(job.spec().analysis, job.spec().solver, identity, key);
}

void BrokerCore::HandleGetValues(const WorkerState& worker, const GetValues& request, std::uint64_t correlation,
                                 Now now, Outbox& out) {
  const std::uint64_t ticket = ++last_ticket_;
  PendingValues pending;
  pending.worker = worker.instance;
  pending.correlation = correlation;
  pending.reply.at.assign(std::min(request.keys.size(), limits::kValueKeys), -1);
  pending.reply.expires_at_ms.assign(pending.reply.at.size(), 0);
  const auto space = ValueSpaceOf(worker, request.execution);
  const bool reads = space && !space->job.spec().MustBeFresh() && reads_in_flight_ < kMostReads;
  for (std::size_t i = 0; reads && i < pending.reply.at.size(); ++i) {
    const ContentHash key = HashBytes(space->FormOf(request.keys[i]));
    std::vector<ContentHash> expired;
    const CacheEntry* entry = values_.Lookup(key, now.wall_ms, expired);
    RemoveFromStore(std::move(expired), out);
    CountValue(entry != nullptr);
    if (entry == nullptr) continue;
    pending.reply.expires_at_ms[i] = entry->expires_at_ms;
    WaitForRead(key, *entry, out).values.push_back({ticket, i});
    ++pending.open;
  }
  if (pending.open == 0) return AnswerValues(pending, out);
  pending_values_.emplace(ticket, std::move(pending));
}

void BrokerCore::CountValue(bool hit) {
  std::optional<std::uint64_t>& counter = hit ? cache_.counters.value_hits : cache_.counters.value_misses;
  counter = counter.value_or(0) + 1;
}

void BrokerCore::TakeValue(const ValueWaiter& waiter, const Body& body, Outbox& out) {
  const auto found = pending_values_.find(waiter.ticket);
  if (found == pending_values_.end()) return;
  PendingValues& pending = found->second;
  if (body) {
    pending.reply.at[waiter.position] = static_cast<std::int32_t>(pending.bodies.size());
    pending.bodies.push_back(body);
  }
  if (--pending.open > 0) return;
  AnswerValues(pending, out);
  pending_values_.erase(found);
}

void BrokerCore::AnswerValues(PendingValues& pending, Outbox& out) {
  out.Reply(PeerRole::kWorker, pending.worker, pending.correlation, std::move(pending.reply), /*promise=*/false,
            std::move(pending.bodies));
}

void BrokerCore::HandlePutValues(const WorkerState& worker, const PutValues& request, const std::vector<Body>& bodies,
                                 Now now, Outbox& out) {
  const auto space = ValueSpaceOf(worker, request.execution);
  if (!space || bodies.size() != request.keys.size() || bodies.size() > limits::kValueKeys) return;
  const Job& job = space->job;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (request.keys[i].size() > limits::kValueKeyBytes || bodies[i]->size() > limits::kMaxResultBytes) continue;
    CacheEntry entry;
    entry.analysis = job.spec().analysis;
    entry.solver = job.spec().solver;
    entry.identity = space->identity;
    entry.host = worker.host;
    entry.computed_at_ms = now.wall_ms;
    entry.compute_s = request.compute_s;
    entry.size_bytes = bodies[i]->size();
    entry.expires_at_ms = ExpiryOf(job, now);
    entry.origin = CacheOrigin::kIntermediate;
    entry.form = space->FormOf(request.keys[i]);
    const ContentHash key = HashBytes(*entry.form);
    PutInCache(key, std::move(entry), bodies[i], out);
  }
}

}  // namespace icarus::broker
