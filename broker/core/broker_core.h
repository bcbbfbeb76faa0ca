// The broker's decisions: a state machine of events in, effects out. No clock, socket, disk, thread, log or global
// inside; the same events with the same times give the same effects.
//
// Monotonic time in here is broker time: all the time that brokers have served this store. It goes on where the last
// one left it, so that ages, deadlines and backoffs are stored as they are, and neither a wall clock that is set nor
// the time between two brokers counts.
//
// Order of life: Recover… calls, FinishRecovery, then events. Every On… call may be followed by any other; EndTurn is
// called once after each bounded batch of events. NextDeadline says when EndTurn has work even if nothing arrives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/core/admission.h"
#include "broker/core/cache_index.h"
#include "broker/core/core_config.h"
#include "broker/core/execution_table.h"
#include "broker/core/job.h"
#include "broker/core/job_table.h"
#include "broker/core/outbox.h"
#include "broker/core/predictor.h"
#include "broker/core/ready_queue.h"
#include "broker/core/request_class.h"
#include "broker/core/submit_key.h"
#include "broker/core/unresolved_jobs.h"
#include "broker/core/worker_registry.h"
#include "common/analysis/catalogue.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/model/limits.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

// Who sent a message: made by the transport, never by the peer.
struct Caller {
  std::string instance;
  std::string user;
  bool admin = false;
};

// The refusal of who is not an admin and wants to `do_this`.
inline Error OnlyAnAdminMay(const std::string& do_this) {
  return Error::Make(ErrorCode::kRefused, "only an admin may " + do_this);
}

struct BrokerIdentity {
  std::string instance;  // of this process
  std::string program;
  std::string lineage;
  std::uint64_t epoch = 0;
};

class BrokerCore {
 public:
  BrokerCore(const Catalogue& catalogue, CoreConfig config, BrokerIdentity identity, std::uint64_t seed);

  // --- recovery, in the order of StoreVisitor
  Status RecoverJob(JobRecord record);
  void RecoverStatus(const JobStatusRecord& status);
  void RecoverTask(TaskRef task, const TaskRecord& record);
  void RecoverDispatch(const DispatchRecord& record);
  void RecoverLastJob(std::uint64_t last_job) { last_job_ = std::max(last_job_, last_job); }
  void RecoverCacheCounters(const CacheCounters& counters) {
    cache_.counters = written_counters_ = counters;
    expirations_told_ = counters.expirations;
  }
  // What was recovered of it is not in the store any more.
  void ForgetRecoveredCache() {
    cache_.Clear();
    values_.Clear();
  }
  void RecoverCacheEntry(const ContentHash& key, CacheEntry entry) { IndexFor(entry).Load(key, std::move(entry)); }
  void FinishRecovery(Now now, Outbox& out);

  // --- events
  void OnHello(const Caller& caller, const Hello& hello, std::uint64_t correlation, Now now, Outbox& out);
  // False when there is no session of that instance: the peer is to say Hello again.
  bool OnMessage(const Caller& caller, Message message, Now now, Outbox& out);
  // A peer is there, whatever it asked and whoever answers it.
  void OnHeard(const std::string& instance, Now now);
  // `body` with kFound only.
  void OnCacheRead(const ContentHash& key, CacheReadEnd end, Body body, Now now, Outbox& out);
  // `records` empty: the store could not be read.
  void OnTasksRead(std::uint64_t ticket, const std::vector<std::optional<TaskRecord>>& records,
                   std::vector<Body> bodies, Now now, Outbox& out);
  // An entry of another cache, which has been checked; an error says why it is not taken in.
  Status ImportCached(const ContentHash& key, CacheEntry entry, Body body, Outbox& out);
  // Values that were to be put, and are not in the store.
  void OnCachePutsLost(const std::vector<ContentHash>& keys);
  // Why results are not put into the store now; empty: they are again.
  void OnCacheState(const std::string& why, Now now, Outbox& out);
  const CacheIndex& cache() const { return cache_; }    // results
  const CacheIndex& values() const { return values_; }  // intermediate values
  CacheRoom cache_room() const;                         // of both
  // Its value was read for somebody, and is not what was written.
  void OnCacheDamage(const ContentHash& key, Outbox& out);
  void OnConfigChanged(CoreConfig config, Now now, Outbox& out);
  // Of the cache's memory, and of the process's and, when the store was cleared, of the disk.
  void OnMemoryReleased(std::uint64_t ticket, std::uint64_t blocks, std::uint64_t bytes, Outbox& out);
  // What this process uses of the machine's memory.
  void OnMemory(std::uint64_t bytes) { memory_bytes_ = bytes; }
  // No room on disk: submissions are refused until it is over. `reason` empty: it is over.
  void OnStorageState(std::string reason) { storage_reason_ = std::move(reason); }
  // From now on nothing is changed: only questions are answered, and workers keep what they have. For good.
  void OnReadOnly(std::string why) { read_only_ = std::move(why); }
  bool is_read_only() const { return !read_only_.empty(); }
  // The refusal of a change while that is so.
  Error ReadOnlyError(ErrorCode code) const { return Error::Make(code, "the broker changes nothing: " + read_only_); }
  // Deadlines, cache probes, scheduling, pushes to watchers.
  void EndTurn(Now now, Outbox& out);

  // When EndTurn is due at the latest, monotonic milliseconds; nullopt: never.
  std::optional<std::int64_t> NextDeadlineMs() const;
  // True when EndTurn stopped for lack of turn, not of work: call it again soon.
  bool HasMoreWork() const { return more_work_; }

  // For tests: every cross-reference; empty when all is well.
  std::string CheckInvariants() const;
  // For tests: what is still open or remembered of something open; empty when every task has ended.
  std::string WhatIsLeft() const;
  const JobTable& jobs() const { return jobs_; }

 private:
  struct ClientSession {
    Caller caller;
    std::int64_t last_heard_ms = 0;
    std::set<std::uint64_t> watches;  // correlation ids
  };
  struct WatchState {
    std::string instance;
    std::uint64_t correlation = 0;
    std::vector<JobId> jobs;
    std::uint64_t sequence = 0;
    bool acknowledged = true;
    bool dirty = true;
    bool urgent = false;  // a job of it has finished
    std::int64_t last_sent_ms = 0;
  };
  using WatchKey = std::pair<std::string, std::uint64_t>;
  struct PendingCancel {
    std::string instance;
    std::uint64_t correlation = 0;
    CancelReply reply;
    std::set<ExecutionId> open;  // what the workers are still ending
  };
  // An execution that a worker was asked back for in an emergency, as it was then.
  struct Asked {
    Token token;
    std::string worker;  // instance
    bool ran = false;
  };
  struct PendingUpkeep {
    std::string instance;
    std::uint64_t correlation = 0;
    std::int64_t until_ms = 0;
    UpkeepReply reply;
    std::map<ExecutionId, Asked> open;
    bool releasing = true;
  };
  struct PendingRead {
    enum class Kind { kShow, kResults, kRetry, kReopen, kExplain, kInput } kind = Kind::kShow;
    std::uint64_t correlation = 0;
    Caller caller;
    JobId job;
    std::vector<TaskIndex> indices = {};  // of the page
    std::vector<TaskIndex> asked = {};    // of them, those that the store was asked for
    std::vector<TaskState> states = {};   // filter
    std::uint64_t limit = 0;
    std::uint64_t next = 0;
    Retry retry = {};               // with kRetry
    std::uint64_t job_retries = 0;  // of the job, then
    JobId dependent = {};           // with kInput: whose input it is

    // What is read is asked for to change something, not to be shown.
    bool Changes() const { return kind == Kind::kRetry || kind == Kind::kReopen || kind == Kind::kInput; }
  };
  // A value that a worker's question waits for, and its place in the answer.
  struct ValueWaiter {
    std::uint64_t ticket = 0;
    std::size_t position = 0;
  };
  struct CacheWaiter {
    std::vector<TaskRef> tasks;
    std::vector<ValueWaiter> values;
    CacheEntry entry;
  };
  struct PendingValues {
    std::string worker;
    std::uint64_t correlation = 0;
    std::size_t open = 0;  // values that are still being read
    GetValuesReply reply;
    std::vector<Body> bodies;
  };

  // Where the intermediate values of an execution are.
  struct ValueSpace {
    const Job& job;
    std::string identity;  // of the solver, or of the program and its user
    std::string FormOf(const std::string& key) const;
  };

  // messages (broker_core_requests.cc, _queries.cc)
  void HandleSubmit(const Caller& caller, Submit request, std::uint64_t correlation, Now now, Outbox& out);
  void HandleCache(const Caller& caller, const CacheQuery& request, std::uint64_t correlation, Outbox& out);
  std::optional<ValueSpace> ValueSpaceOf(const WorkerState& worker, ExecutionId id);
  void HandleGetValues(const WorkerState& worker, const GetValues& request, std::uint64_t correlation, Now now,
                       Outbox& out);
  void HandlePutValues(const WorkerState& worker, const PutValues& request, const std::vector<Body>& bodies, Now now,
                       Outbox& out);
  void CountValue(bool hit);
  void TakeValue(const ValueWaiter& waiter, const Body& body, Outbox& out);
  static void AnswerValues(PendingValues& pending, Outbox& out);
  std::int64_t ExpiryOf(const Job& job, Now now) const;
  CacheWaiter& WaitForRead(const ContentHash& key, const CacheEntry& entry, Outbox& out);
  static void ReplyAfterCache(const Caller& caller, std::uint64_t correlation, AnyMessage reply, Outbox& out);
  void HandleRemoveCached(const Caller& caller, const RemoveCached& request, std::uint64_t correlation, Outbox& out);
  void SetCacheLimits();
  CacheIndex& IndexFor(const CacheEntry& entry);
  bool ForgetCached(const ContentHash& key);
  void PutInCache(const ContentHash& key, CacheEntry entry, Body body, Outbox& out);
  static void RemoveFromStore(std::vector<ContentHash> keys, Outbox& out);
  void DropUnusable(const ContentHash& key, bool damaged, Outbox& out);
  void TendCache(Now now, Outbox& out);
  static Result<std::string> FormOf(const Job& job, TaskIndex index);
  void HandleEstimate(const Caller& caller, Estimate request, std::uint64_t correlation, Now now, Outbox& out);
  Result<EstimateReply> MakeEstimate(Estimate request, Now now);
  Result<SubmitReply> Accept(const Caller& caller, Submit request, Now now, Outbox& out);
  Status CheckCapacity(const JobSpec& spec) const;
  std::vector<std::string> SubmitWarnings(const Job& job) const;
  void HandleList(const Caller& caller, const ListJobs& request, std::uint64_t correlation, Outbox& out);
  void HandleShow(const Caller& caller, const ShowJob& request, std::uint64_t correlation, Outbox& out);
  void HandleFetch(const Caller& caller, const FetchResults& request, std::uint64_t correlation, Outbox& out);
  void HandleWatch(const Caller& caller, const Watch& request, std::uint64_t correlation, Now now, Outbox& out);
  void EndWatch(const WatchKey& key);
  std::size_t WatchedBy(const std::string& instance) const;
  void HandleUpdateAck(const Caller& caller, const UpdateAck& ack, std::uint64_t correlation);
  void HandleCancel(const Caller& caller, const Cancel& request, std::uint64_t correlation, Now now, Outbox& out);
  void HandleRetry(const Caller& caller, const Retry& request, std::uint64_t correlation, Outbox& out);
  std::uint64_t CancelTasks(Job& job, const std::vector<TaskIndex>& tasks, const TaskError& error,
                            std::set<ExecutionId>& open, Now now, Outbox& out);
  void EndTaskEarly(Job& job, TaskIndex index, TaskState state, const TaskError& error, std::set<ExecutionId>& open,
                    Now now, Outbox& out);
  void EndReady(Job& job, TaskState state, const TaskError& error, Now now, Outbox& out);
  void EndUntaken(Job& job, TaskState state, const TaskError& error, bool closed, Now now, Outbox& out);
  bool AnswerRepeatedRetry(const Job& job, const Retry& request, const Caller& caller, std::uint64_t correlation,
                           Outbox& out);
  void ReadForRetry(const Caller& caller, const Retry& request, std::uint64_t correlation, Job& job, Outbox& out);
  void AnswerRetry(PendingRead& read, const std::vector<std::optional<TaskRecord>>& records, Now now, Outbox& out);
  std::uint64_t RetryTasks(Job& job, const Retry& request, const std::map<TaskIndex, const TaskRecord*>& records,
                           Now now, Outbox& out);
  static void ReloadTasks(Job& job, const PendingRead& read, const std::vector<std::optional<TaskRecord>>& records);
  static std::map<TaskIndex, const TaskRecord*> KnownRecords(const PendingRead& read,
                                                             const std::vector<std::optional<TaskRecord>>& records);
  void RetryTask(Job& job, TaskIndex index, const TaskRecord& record, Now now, Outbox& out);
  void KeepInRemainder(Job& job, const std::set<TaskIndex>& keep, TaskState state, std::optional<TaskError> error,
                       Now now, Outbox& out);
  void RearmReturned(Job& job, TaskIndex index, Now now);
  void ArmJobTimers(const Job& job);
  void DisarmJobTimers(const Job& job);
  void HandleWorkers(const Caller& caller, const ListWorkers& request, std::uint64_t correlation, Now now, Outbox& out);
  void HandleClientMessage(ClientSession& session, Message message, Now now, Outbox& out);
  void HandleWorkerMessage(WorkerState& worker, Message message, Now now, Outbox& out);

  // jobs that wait (broker_core_waiting.cc)
  Status CheckDependencies(const Caller& caller, const JobSpec& spec);
  void NoteDependencies(const Job& job);
  static std::int64_t StartOf(const Job& job);
  std::vector<JobId> UnmetOf(const Job& job, std::optional<JobId>& failed) const;
  void SettleHeldJob(Job& job, Now now, Outbox& out);
  void SettleDependents(Now now, Outbox& out);
  void ReopenDependents(const Job& upstream, Outbox& out);
  void ReopenHeldJob(const PendingRead& read, const std::vector<std::optional<TaskRecord>>& records, Now now,
                     Outbox& out);

  static std::set<JobId> UpstreamsOf(const Job& job);

  // inputs that are outputs of other tasks (awaited_inputs.cc)
  Status CheckAwaited(const Caller& caller, const JobSpec& spec);
  bool HasOpenInput(const AwaitedInput& awaited) const;
  bool AskForInput(Job& job, Outbox& out);
  void TakeInput(const PendingRead& read, const std::optional<TaskRecord>& record, const Body& body, Now now,
                 Outbox& out);

  // what happened (happenings.cc)
  static void TellJob(const char* kind, const Job& job, std::string detail, Now now, Outbox& out);
  static void TellTask(const char* kind, const Job& job, TaskIndex index, const std::string& worker, std::string detail,
                       Now now, Outbox& out);
  static void TellEnd(const Job& job, TaskIndex index, const TaskRecord& record, Now now, Outbox& out);
  static void TellCache(const char* kind, std::string detail, Now now, Outbox& out);
  static void TellWorker(const char* kind, const std::string& worker, std::string detail, Now now, Outbox& out);

  // ended jobs (retention.cc)
  void KeepForRetention(JobId job, std::int64_t ended_ms);
  void ForgetRetention(const Job& job);
  std::int64_t ExpiryOf(std::int64_t ended_ms) const;
  void ExpireJobs(Now now, Outbox& out);
  bool IsLookedAt(JobId job) const;
  bool IsWaitedFor(JobId job) const;
  void DropJob(const Job& job, Now now, Outbox& out);

  // upkeep (upkeep.cc)
  void HandleUpkeep(const Caller& caller, const Upkeep& request, std::uint64_t correlation, Now now, Outbox& out);
  UpkeepReply CloseUpkeepPeriod();
  bool MayBeStopped(const Execution& execution, const std::set<JobId>& awaited, Now now) const;
  std::set<JobId> AwaitedAboveFloor() const;
  std::map<ExecutionId, Asked> StopBelowFloor(Now now, Outbox& out);
  bool MayStart(std::int32_t priority) const;
  void NoteReturned(PendingUpkeep& upkeep);
  void TendUpkeep(Now now, Outbox& out);
  std::optional<std::int64_t> NextUpkeepMs() const;

  // access
  Result<Job*> FindJob(const Caller& caller, JobId id);
  static bool MaySee(const Caller& caller, const Job& job) { return caller.admin || caller.user == job.record().user; }
  void ReplyError(const Caller& caller, std::uint64_t correlation, const Error& error, Outbox& out);

  // workers (broker_core_workers.cc)
  void RegisterWorker(const Caller& caller, const Hello& hello, Welcome& welcome, Now now, Outbox& out);
  void AdoptHeld(WorkerState& worker, const std::vector<HeldExecution>& held, Welcome& welcome, Now now, Outbox& out);
  void TakeBack(Execution& execution, Now now, Outbox& out);
  void UncountAttempt(const Execution& execution);
  void ReturnOrphans(const std::string& instance, bool counts, Now now, Outbox& out);
  void LearnSolvers(const WorkerState& worker, Outbox& out);
  void RecoverOpenJob(JobId id, const JobBrief& brief, Now now, Outbox& out);
  void ResolveJobs(Outbox& out);
  static bool IsUnresolved(const Job& job);
  void EndUnresolved(const Job& job);
  std::string DefaultIdentity(const std::string& solver) const;
  void Resolve(Job& job, Outbox& out);
  void OnTelemetry(WorkerState& worker, const Telemetry& sample, Now now, Outbox& out);
  void OnTaskEvents(WorkerState& worker, const TaskEvents& events, Now now, Outbox& out);
  void OnSaved(const WorkerState& worker, const std::vector<SavedFiles>& saved, Outbox& out);
  void OnResults(WorkerState& worker, const Results& results, const std::vector<Body>& bodies, Now now, Outbox& out);
  void LoseWorker(WorkerState& worker, const char* why, bool blame, Now now, Outbox& out);
  void MarkStarted(Execution& execution, Now now, Outbox& out, double ran_s = 0);

  // executions and results (broker_core_results.cc)
  void FinishExecution(Execution& execution, const ExecutionResult& result, Body body, Now now, Outbox& out);
  bool IsOpen(TaskRef task) const;
  void CompleteTask(TaskRef task, const Execution& execution, const ExecutionResult& result, const Body& body,
                    bool leader, Now now, Outbox& out);
  void FailSubscribers(Execution& execution, const ExecutionResult& result, const Body& body, Now now, Outbox& out);
  bool ShouldRetry(const Execution& execution, const ExecutionResult& result);
  void EndTask(Job& job, TaskIndex index, TaskState state, TaskRecord record, const Body& body, Now now, Outbox& out);
  static void CountFailure(Job& job, TaskIndex index, const TaskError& error);
  static void UncountFailures(Job& job, const TaskError& error, std::uint64_t count);
  void AfterTaskEnded(Job& job, Now now, Outbox& out);
  void FinishJob(Job& job, Now now, Outbox& out);
  CacheEntry EntryOf(const Execution& execution, const ExecutionResult& result, const Body& body);
  bool FailsForCertain(const Execution& execution, const ExecutionResult& result) const;
  void StoreFailure(const Execution& execution, const ExecutionResult& result, const Body& body, Now now, Outbox& out);
  void ForgetFailure(const Job& job, TaskIndex index, Outbox& out);
  void StoreInCache(const Execution& execution, const ExecutionResult& result, const Body& body, Now now, Outbox& out);
  void DetachFromWorker(Execution& execution, Outbox& out);
  void RequeueExecution(Execution& execution, std::int64_t not_before_ms, Now now, Outbox& out);
  void GiveBack(TaskRef task, Now now, Outbox& out);
  void ReturnToQueue(Job& job, TaskIndex index, Now now, Outbox& out);
  void ArmQueueTimeout(Job& job, TaskIndex index, Now now);
  static void KeepPending(const Job& job, TaskIndex index, Outbox& out);
  void EraseExecution(Execution& execution, Outbox& out);
  void Unsubscribe(Execution& execution, TaskRef task, Now now, Outbox& out);
  void NoteCancelProgress(ExecutionId execution, bool cancelled, Outbox& out);
  void Keep(const Execution& execution, const std::vector<FileRef>& files);
  void KeepSaved(const Execution& execution, const std::vector<FileRef>& files, Outbox& out);
  AttemptRecord DescribeAttempt(const Execution& execution, const TaskError& error,
                                const ExecutionResult& result) const;
  std::int64_t Backoff(std::uint32_t failures);
  static void NoteAttempt(TaskExtra& extra, AttemptRecord attempt, Token token);
  void RecordAttempt(TaskRef task, AttemptRecord attempt, Token token, std::int64_t not_before_ms, Now now,
                     Outbox& out);
  void EndWorkerDeath(Execution& execution, Now now, Outbox& out);

  // scheduling (broker_core_schedule.cc)
  void Enqueue(Job& job);
  void Dequeue(Job& job);
  void Schedule(Now now, Outbox& out);
  std::int64_t ExtraSlots(std::uint32_t request_class) const;
  WorkerState* ChooseWorker(std::uint32_t request_class, bool may_queue_ahead, const std::string& reserved);
  std::string ReserveWorker(const ReadyQueue::Level& level, Outbox& out);
  bool GoesBefore(const ReadyQueue::Level& level, const Execution& execution) const;
  void NoteActive(const std::string& user);
  enum class Served { kSome, kNoJob, kNoRoom };
  Served DispatchFrom(ReadyQueue::Level& level, WorkerState& worker, bool may_queue_ahead, Now now, Outbox& out);
  enum class Probed { kNothing, kHit, kJoined };
  void TakeTask(Job& job, TaskIndex index, WorkerState& worker, DispatchGroup& group, DispatchRecord& record,
                std::map<std::uint32_t, std::uint32_t>& targets, Now now, Outbox& out);
  bool UserHasRoom(const std::string& user) const;
  bool JobHasRoom(const Job& job) const;
  bool ResourcesFree(const RequestClass& request) const;
  void ProbeAhead(Now now, Outbox& out);
  Probed ProbeTask(Job& job, TaskIndex index, Now now, Outbox& out);
  void Join(Job& job, TaskIndex index, Execution& execution, Now now, Outbox& out);
  std::vector<TaskRef>::iterator HighestPriority(Execution& execution);
  void LeadByPriority(Execution& execution, Now now, Outbox& out);
  bool RecoverDispatchedTask(const DispatchRecord& record, const DispatchedTask& task);
  void PlaceRestored(Execution& execution, const DispatchRecord& record, Token token);
  void UnplaceRestored(Execution& execution);
  void LeaveRestored(Job& job, TaskIndex index);
  Result<ContentHash> KeyOf(const Job& job, TaskIndex index) const;
  void StartRead(Job& job, TaskIndex index, const ContentHash& key, const CacheEntry& entry, Outbox& out);
  void RefuseReadOnly(PeerRole role, const Caller& caller, std::uint64_t correlation, Outbox& out) const;
  void ForgiveLateTurn(Now now);
  void KeepTimeOnDisk(Now now, Outbox& out);
  void FireDeadlines(Now now, Outbox& out);
  void FireQueueTimeouts(Now now, Outbox& out);
  void FireJobDeadlines(Now now, Outbox& out);
  void StopExecution(Execution& execution, Outbox& out);

  // why a task is where it is (explain.cc)
  void HandleExplain(const Caller& caller, const Explain& request, std::uint64_t correlation, Now now, Outbox& out);
  void AnswerExplain(const PendingRead& read, const std::optional<TaskRecord>& record, Outbox& out);
  ExplainReply ExplainEnded(const Job& job, TaskIndex index, const TaskRecord* record) const;
  ExplainReply ExplainOpen(const Job& job, TaskIndex index, Now now) const;
  ExplainReply ExplainExecution(const Execution& execution, TaskRef task, TaskState state, Now now) const;
  ExplainReply ExplainQueued(const Job& job, TaskIndex index, TaskState state, Now now) const;
  ExplainReply ExplainPlace(const Job& job, TaskIndex index, TaskState state) const;
  std::string ExplainHeld(const Job& job, Now now) const;
  std::string WhyNotCached(const Job& job) const;
  bool Compete(const JobBrief& a, const JobBrief& b) const;
  std::uint64_t TasksAhead(const Job& job, TaskIndex index) const;

  std::string CheckJob(const Job& job) const;  // empty: all is well
  static std::string CheckPacked(const JobBrief& brief);

  // questions and watching (broker_core_queries.cc)
  JobSummary Summarise(const Job& job) const;
  void Touch(const Job& job, bool finished = false);
  void PushUpdates(Now now, Outbox& out);
  void DropSession(const std::string& instance, Outbox& out);
  static std::vector<TaskIndex> EndedOf(const Job& job, const std::vector<TaskIndex>& indices);
  void StartPage(PendingRead read, Outbox& out);
  void AskStore(PendingRead read, Outbox& out);
  void AnswerPage(PendingRead& read, const std::vector<std::optional<TaskRecord>>& records, std::vector<Body> bodies,
                  Outbox& out);
  ResultItem MakeItem(const Job& job, TaskIndex index, const TaskRecord* record) const;

  const Catalogue& catalogue_;
  CoreConfig config_;
  BrokerIdentity identity_;
  Random random_;

  JobTable jobs_;
  std::uint64_t last_job_ = 0;
  std::unordered_map<SubmitKey, JobId> by_submit_id_;
  Admission admission_;
  std::uint64_t memory_bytes_ = 0;  // of this process
  ExecutionTable executions_;
  ReadyQueue ready_;
  RequestClasses classes_;
  Predictor predictor_;
  WorkerRegistry workers_;
  CacheIndex cache_;   // results
  CacheIndex values_;  // intermediate values
  CacheCounters written_counters_;
  std::string cache_paused_;  // why
  std::unordered_map<ContentHash, CacheWaiter> cache_waiters_;
  // Of cached values. Those that are looked for ahead stop at limits::kReadsInFlight, and nothing goes beyond
  // kMostReads.
  std::uint64_t reads_in_flight_ = 0;
  static constexpr std::uint64_t kMostReads = 2 * limits::kReadsInFlight;
  std::map<std::uint64_t, PendingValues> pending_values_;
  std::uint64_t cache_generation_ = 0;  // counts removals on demand, over restarts
  std::map<std::string, ClientSession> clients_;
  std::map<WatchKey, WatchState> watches_;
  std::map<JobId, std::set<WatchKey>> watchers_of_;
  std::map<std::uint64_t, PendingRead> pending_reads_;
  std::uint64_t last_ticket_ = 0;
  std::vector<PendingCancel> pending_cancels_;
  std::map<std::uint64_t, PendingUpkeep> pending_upkeeps_;
  std::optional<std::int64_t> rest_until_ms_;  // after an emergency
  std::optional<std::int64_t> maintained_ms_;  // when the last round began
  std::uint64_t expirations_told_ = 0;         // CacheCounters::expirations at the last upkeep
  std::uint64_t tasks_cleaned_ = 0;            // since the last upkeep
  std::vector<std::uint64_t> stale_records_;   // found at recovery
  std::set<JobId> probing_;                    // cacheable jobs with tasks not probed yet
  UnresolvedJobs unresolved_;
  std::set<std::pair<std::int64_t, TaskRef>> backoffs_;             // due monotonic ms
  std::set<std::pair<std::int64_t, JobId>> queue_timeouts_;         // of tasks never taken
  std::set<std::pair<std::int64_t, TaskRef>> task_queue_timeouts_;  // of those that came back; may be out of date
  std::set<std::pair<std::int64_t, JobId>> job_deadlines_;
  std::map<JobId, std::set<JobId>> dependents_;              // jobs that name it in --after or --after-any
  std::set<std::pair<std::int64_t, JobId>> delayed_starts_;  // may be out of date
  std::set<std::pair<std::int64_t, JobId>> expiries_;        // of ended jobs
  std::deque<JobId> ended_jobs_;                             // whose dependents have not been looked at
  std::map<std::string, std::set<ExecutionId>> orphans_;     // by worker instance
  std::optional<std::int64_t> orphans_until_ms_;
  std::map<std::string, double> service_;  // seconds · cpus given to each user while it had something open
  std::map<std::string, std::uint64_t> open_jobs_of_user_;
  std::map<std::string, std::uint64_t> running_of_user_;
  std::map<std::string, std::int64_t> cluster_used_;  // cluster-wide named resources
  std::string storage_reason_;
  std::string read_only_;                    // why
  std::optional<std::int64_t> turn_due_ms_;  // when EndTurn was to be called at the latest
  std::int64_t last_turn_ms_ = 0;
  std::int64_t last_wall_ms_ = 0;
  std::int64_t time_kept_ms_ = 0;  // when KeepTime was last written
  bool schedule_needed_ = true;
  bool more_work_ = false;
  std::int64_t watch_deadline_ms_ = -1;
};

}  // namespace icarus::broker
