// A broker core with hand-made workers and clients: events in, recorded effects out, virtual time. The store is a map
// that takes every batch at once, so that a restart can be played from it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "common/analysis/catalogue.h"

namespace icarus::broker::testing {

struct GivenTask {
  JobId job;
  TaskIndex index = 0;
  ExecutionId execution;
  Token token;
  std::uint32_t attempt = 0;
  ValueMap params;
  std::int32_t priority = 0;
  std::vector<FileRef> kept;
  CachePolicy cache = CachePolicy::kDefault;
};

class CoreWorld {
 public:
  // The catalogue outlives it.
  explicit CoreWorld(CoreConfig config = {}, const Catalogue& catalogue = Catalogue::BuiltIn());

  // --- peers
  void AddWorker(const std::string& name, int slots, std::map<std::string, std::string> solvers = {},
                 std::vector<HeldExecution> held = {}, const std::string& replaces = "");
  void AddClient(const std::string& name, const std::string& user, bool admin = false);
  static JobSpec Noop(const std::string& axis = "", int priority = 0);
  // A polar of naca2412 with the solver panel at these Reynolds numbers: the results are cached.
  static JobSpec Polar(const std::string& reynolds, CachePolicy cache = CachePolicy::kDefault);

  // --- requests; without an answer yet the reply is empty
  template <class Reply, class Request>
  Reply Ask(const std::string& client, Request request) {
    answers_[client].clear();
    SendFromClient(client, std::move(request));
    return Answer<Reply>(client);
  }
  JobId Submit(JobSpec spec, const std::string& client = "alice", const std::string& id = "");
  template <class Request>
  void SendFromClient(const std::string& client, Request request) {
    Deliver(callers_.at(client), Message{++correlation_, AnyMessage(std::move(request)), {}});
  }
  template <class Reply>
  Reply Answer(const std::string& client) {
    const auto it = answers_.find(client);
    if (it == answers_.end() || it->second.empty()) return {};
    const auto* reply = it->second.back().payload.get_if<Reply>();
    return reply == nullptr ? Reply{} : *reply;
  }
  std::optional<ErrorReply> LastError(const std::string& client);

  // --- workers
  // What was dispatched to the worker and not taken by an earlier call.
  std::vector<GivenTask> TakeDispatched(const std::string& worker);
  void Start(const std::string& worker, const GivenTask& task);
  void Finish(const std::string& worker, const GivenTask& task, TaskState outcome = TaskState::kCompleted,
              TaskErrorKind kind = TaskErrorKind::kNone, double run_s = 0.5, const std::string& body = "result");
  // Stopped before its end, with files for its next attempt: given back, or timed out.
  void Stop(const std::string& worker, const GivenTask& task, TaskState outcome, std::vector<FileRef> kept);
  void FinishUncacheable(const std::string& worker, const GivenTask& task);
  void ReturnTask(const std::string& worker, const GivenTask& task);
  template <class Payload>
  void SendFromWorker(const std::string& worker, Payload payload, std::vector<Body> sent = {}) {
    Deliver(callers_.at(worker), Message{0, AnyMessage(std::move(payload)), std::move(sent)});
  }
  // The last that the broker sent to a peer, but for dispatches, stops and acknowledgements. REQUIRES that there is
  // one.
  const Message& LastMessage(const std::string& peer) { return answers_.at(peer).back(); }
  void Beat(const std::string& worker);
  std::vector<ExecutionId> TakeStops(const std::string& worker);
  std::vector<ExecutionId> TakeRecalls(const std::string& worker);
  std::set<ExecutionId> acknowledged;

  // --- time and faults
  void Advance(std::int64_t ms);
  void SetWall(std::int64_t wall_ms) { wall_offset_ms_ = wall_ms - now_ms_; }
  // The broker process ends and another starts on what was stored. Peers are forgotten.
  void Restart();
  void Configure(CoreConfig config);
  void DamageCache() { reads_end_ = CacheReadEnd::kDamaged; }
  // All reads from now on; kFound: they are as they are.
  void EndCacheReads(CacheReadEnd end) { reads_end_ = end; }
  // Its records are not there at the next Restart.
  void LoseJob(JobId job) {
    jobs_.erase(job);
    statuses_.erase(job);
  }

  TaskState StateOf(JobId job, TaskIndex index);
  const Job& job(JobId id) const { return *core_->jobs().at(id); }
  BrokerCore& core() { return *core_; }
  // Recorded results of a task since the beginning: never more than one may be completed.
  int completions(TaskRef task) const;
  std::map<std::uint64_t, DispatchRecord> dispatches;
  std::map<TaskRef, TaskRecord> tasks;
  std::map<TaskRef, Body> bodies;
  std::vector<Event> happened;

 private:
  void Deliver(const Caller& caller, Message message);
  void Turn();
  void Apply(Effect effect);
  void Store(const Record& record);
  ExecutionResult MakeResult(const GivenTask& task, TaskState outcome) const;
  void SendResult(const std::string& worker, ExecutionResult result, const std::string& body);

  CoreConfig config_;
  const Catalogue& catalogue_;
  std::uint64_t epoch_ = 1;
  std::int64_t now_ms_ = 1'000'000;
  std::int64_t wall_offset_ms_ = 1'700'000'000'000;
  std::uint64_t correlation_ = 0;
  std::unique_ptr<BrokerCore> core_;
  Outbox out_;
  std::map<std::string, Caller> callers_;
  std::map<std::string, std::vector<Message>> answers_;
  std::map<std::string, std::vector<GivenTask>> dispatched_;
  std::map<std::string, std::vector<ExecutionId>> stops_;
  std::map<std::string, std::vector<ExecutionId>> recalls_;
  std::map<JobId, JobRecord> jobs_;
  std::uint64_t last_job_ = 0;
  std::map<JobId, JobStatusRecord> statuses_;
  std::map<std::string, std::string> settings_;
  CacheCounters cache_counters_;
  std::map<ContentHash, std::pair<CacheEntry, Body>> cache_;
  std::map<TaskRef, int> completions_;
  CacheReadEnd reads_end_ = CacheReadEnd::kFound;
  Now now() const;
};

}  // namespace icarus::broker::testing
