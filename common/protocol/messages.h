// Every message of the wire, once: who sends it, when, and what answers it. Plain data; the codec is apart (codec.h).
// Bodies are opaque byte strings that follow the message as frames of their own; a member `body` is an index into them.
// Times: *_ms are milliseconds since 1970 UTC when the name says wall or at, else durations; *_s are seconds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/model/content_hash.h"
#include "common/model/event.h"
#include "common/model/fields.h"
#include "common/model/ids.h"
#include "common/model/job_spec.h"
#include "common/model/result_body.h"
#include "common/model/task_state.h"
#include "common/model/telemetry.h"
#include "common/protocol/any_message.h"
#include "common/protocol/cache_messages.h"
#include "common/protocol/message_type.h"
#include "common/protocol/session_numbers.h"
#include "common/protocol/upkeep_messages.h"
#include "common/protocol/value_messages.h"

namespace icarus {

inline constexpr std::uint32_t kProtocolVersionMin = 1;
inline constexpr std::uint32_t kProtocolVersionMax = 1;

// A body is shared, never copied: it goes from the socket to the store, the cache and other clients as it is.
using Body = std::shared_ptr<const std::string>;

enum class PeerRole : std::uint8_t { kClient = 0, kWorker = 1 };
constexpr int EnumCount(PeerRole) { return 2; }

// --- either role ----------------------------------------------------------------------------------------------------

// An execution that a worker holds: running, queued, or finished with its result not yet acknowledged.
struct HeldExecution {
  ExecutionId execution;
  Token token;
  bool started = false;
  std::optional<double> run_s = {};  // since it started
  ICARUS_FIELDS(HeldExecution, execution, token, started, run_s)
};

struct WorkerHello {
  std::string name;
  std::int32_t slots = 1;
  std::int64_t memory_bytes = 0;
  std::map<std::string, std::int64_t> resources;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> solvers;           // name → identity
  std::map<std::string, std::string> unusable_solvers;  // name → why
  std::string boot_id;
  std::string replaces;  // instance of a predecessor whose lock this one holds; its executions return at once
  std::vector<HeldExecution> held;
  ICARUS_FIELDS(WorkerHello, name, slots, memory_bytes, resources, labels, solvers, unusable_solvers, boot_id, replaces,
                held)
};

// The first message on a connection, and again whenever the peer does not know whether the broker still knows it.
// Answered by Welcome, or by ErrorReply when no protocol version is common to both.
struct Hello {
  static constexpr MessageType kType = MessageType::kHello;
  std::uint32_t min_version = kProtocolVersionMin;
  std::uint32_t max_version = kProtocolVersionMax;
  PeerRole role = PeerRole::kClient;
  std::string instance;  // drawn by the process at its start; sessions are keyed by it, never by a routing id
  std::string program;   // "icarus 0.1.0"
  std::string host;
  std::int64_t pid = 0;
  std::string lineage;  // of the store that the peer was last welcomed by, and how far it was; empty at first
  std::uint64_t seen_epoch = 0;
  std::uint64_t seen_sequence = 0;
  std::optional<WorkerHello> worker;  // required with PeerRole::kWorker
  ICARUS_FIELDS(Hello, min_version, max_version, role, instance, program, host, pid, lineage, seen_epoch, seen_sequence,
                worker)
};

struct Welcome {
  static constexpr MessageType kType = MessageType::kWelcome;
  std::uint32_t version = kProtocolVersionMax;
  std::string broker;  // the broker process' instance id: a new one means that it has restarted
  std::string program;
  std::string lineage;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  // of the last batch that is on disk
  std::string user;            // the principal that the transport made of the peer
  std::int64_t wall_ms = 0;
  std::vector<ExecutionId> unknown;  // of the worker's held executions: to be dropped
  ICARUS_FIELDS(Welcome, version, broker, program, lineage, epoch, sequence, user, wall_ms, unknown)
};

// The answer to any request that was not carried out; the correlation id says which.
struct ErrorReply {
  static constexpr MessageType kType = MessageType::kErrorReply;
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string field;
  std::optional<double> retry_after_s;
  ICARUS_FIELDS(ErrorReply, code, message, field, retry_after_s)
};

// Every second from a worker, every five from an idle client that watches. Any message counts as one.
struct Heartbeat {
  static constexpr MessageType kType = MessageType::kHeartbeat;
  std::optional<Telemetry> telemetry;
  ICARUS_FIELDS(Heartbeat, telemetry)
};

// `known` false: the broker has no session of that instance; say Hello again.
struct HeartbeatReply {
  static constexpr MessageType kType = MessageType::kHeartbeatReply;
  bool known = true;
  bool drain = false;                  // a worker is to take nothing more
  std::uint64_t sequence = 0;          // of the last batch that is on disk
  std::uint64_t cache_generation = 0;  // a worker whose copies of intermediate values are of another one drops them
  ICARUS_FIELDS(HeartbeatReply, known, drain, sequence, cache_generation)
};

// The peer leaves; no answer. A worker's unfinished executions return to the queue.
struct Goodbye {
  static constexpr MessageType kType = MessageType::kGoodbye;
  std::string reason;
  ICARUS_FIELDS(Goodbye, reason)
};

// One chunk of a file (bodies[0], at most limits::kChunkBytes) at `offset`; without a body: how far is it?
struct BlobPut {
  static constexpr MessageType kType = MessageType::kBlobPut;
  ContentHash hash;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  ICARUS_FIELDS(BlobPut, hash, size, offset)
};
struct BlobPutReply {
  static constexpr MessageType kType = MessageType::kBlobPutReply;
  ContentHash hash;
  std::uint64_t next_offset = 0;  // go on here
  bool complete = false;          // stored, synced and its hash found right
  ICARUS_FIELDS(BlobPutReply, hash, next_offset, complete)
};
struct BlobGet {
  static constexpr MessageType kType = MessageType::kBlobGet;
  ContentHash hash;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // at most limits::kChunkBytes
  ICARUS_FIELDS(BlobGet, hash, offset, length)
};
struct BlobData {  // bodies[0]: the bytes
  static constexpr MessageType kType = MessageType::kBlobData;
  ContentHash hash;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // of the whole file
  ICARUS_FIELDS(BlobData, hash, offset, size)
};

// --- clients --------------------------------------------------------------------------------------------------------

// Answered by SubmitReply once the job is on disk. The same id of the same user is the same job, whenever it is sent.
struct Submit {
  static constexpr MessageType kType = MessageType::kSubmit;
  std::string id;  // idempotency key; never empty
  JobSpec spec;
  ICARUS_FIELDS(Submit, id, spec)
};
struct SubmitReply {
  static constexpr MessageType kType = MessageType::kSubmitReply;
  JobId job;
  std::uint64_t tasks = 0;
  std::uint64_t cached = 0;  // of the first `probed` tasks
  std::uint64_t probed = 0;
  bool existing = false;  // the id was known: nothing new was made
  std::vector<std::string> warnings;
  ICARUS_FIELDS(SubmitReply, job, tasks, cached, probed, existing, warnings)
};

// What would this job be? Nothing is kept of it.
struct Estimate {
  static constexpr MessageType kType = MessageType::kEstimate;
  JobSpec spec;
  std::uint32_t forms = 0;  // of the first tasks: what their keys are hashes of
  ICARUS_FIELDS(Estimate, spec, forms)
};
struct EstimateReply {
  static constexpr MessageType kType = MessageType::kEstimateReply;
  std::uint64_t tasks = 0;
  std::uint64_t probed = 0;         // of them, from the first on
  std::uint64_t hits = 0;           // of those
  std::int64_t slots = 0;           // of the workers that could run it
  std::optional<double> typical_s;  // of one task, from those of its kind that have run; half take less
  std::optional<double> long_s;     // nearly all take less
  std::vector<std::string> forms;
  ICARUS_FIELDS(EstimateReply, tasks, probed, hits, slots, typical_s, long_s, forms)
};

struct JobSummary {
  JobId job;
  std::string name;
  std::string analysis;
  std::string solver;
  std::string solver_identity;
  TaskState state = TaskState::kPending;
  std::int32_t priority = 0;
  std::string user;
  std::map<std::string, std::string> tags;
  std::int64_t submitted_at_ms = 0;
  std::int64_t finished_at_ms = 0;  // 0: not finished
  std::uint64_t total = 0;
  std::vector<std::uint64_t> counts;  // by TaskState
  std::uint64_t cached = 0;
  std::uint64_t joined = 0;
  std::uint64_t incomplete = 0;  // completed tasks that have missing points
  bool strict = false;
  double progress = 0;  // 0…1, running tasks by their own progress
  ICARUS_FIELDS(JobSummary, job, name, analysis, solver, solver_identity, state, priority, user, tags, submitted_at_ms,
                finished_at_ms, total, counts, cached, joined, incomplete, strict, progress)
};

struct ListJobs {
  static constexpr MessageType kType = MessageType::kListJobs;
  std::vector<JobId> jobs;  // these; empty: all that the filters allow
  std::vector<TaskState> states;
  std::map<std::string, std::string> tags;
  std::string name;  // glob; empty: any
  std::string user;  // empty: the caller's own and, for an admin, all
  std::int64_t since_wall_ms = 0;
  std::uint64_t limit = 50;
  bool active = false;  // only those not final
  ICARUS_FIELDS(ListJobs, jobs, states, tags, name, user, since_wall_ms, limit, active)
};
struct ListJobsReply {  // newest first
  static constexpr MessageType kType = MessageType::kListJobsReply;
  std::vector<JobSummary> jobs;
  std::uint64_t matching = 0;  // before the limit
  ICARUS_FIELDS(ListJobsReply, jobs, matching)
};

// One attempt that ended without a result that counts.
struct AttemptRecord {
  std::uint32_t attempt = 0;
  std::uint32_t generation = 0;  // rises by one a retry by the owner
  std::string worker;
  std::string host;
  TaskError error;  // with exit code and signal
  double run_s = 0;
  std::int64_t ended_at_ms = 0;
  std::optional<double> cpu_s;
  std::optional<std::uint64_t> max_rss_bytes;
  std::optional<std::string> output_tail;  // the end of what it wrote; at most limits::kOutputTailBytes
  std::optional<Telemetry> telemetry;      // the last that its worker, which was lost, had said
  ICARUS_FIELDS(AttemptRecord, attempt, generation, worker, host, error, run_s, ended_at_ms, cpu_s, max_rss_bytes,
                output_tail, telemetry)
};

struct TaskSummary {
  TaskIndex index = 0;
  TaskState state = TaskState::kPending;
  std::uint32_t attempt = 0;
  std::string worker;
  bool cached = false;
  std::string target;
  ValueMap params;
  double progress = 0;
  double queue_wait_s = 0;
  double run_s = 0;
  std::optional<TaskError> error;
  std::vector<AttemptRecord> history;  // earlier attempts, oldest first; in the answer to ShowJob
  ICARUS_FIELDS(TaskSummary, index, state, attempt, worker, cached, target, params, progress, queue_wait_s, run_s,
                error, history)
};

struct FailureGroup {
  TaskErrorKind kind = TaskErrorKind::kNone;
  std::string message;
  std::uint64_t count = 0;
  TaskIndex example = 0;
  ICARUS_FIELDS(FailureGroup, kind, message, count, example)
};

struct ShowJob {
  static constexpr MessageType kType = MessageType::kShowJob;
  JobId job;
  std::vector<TaskState> states;  // of the tasks listed; empty: all
  std::uint64_t first = 0;        // lowest index
  std::uint64_t limit = 100;      // at most limits::kPageTasks
  ICARUS_FIELDS(ShowJob, job, states, first, limit)
};
struct ShowJobReply {
  static constexpr MessageType kType = MessageType::kShowJobReply;
  JobSummary job;
  std::vector<TaskSummary> items;
  std::vector<FailureGroup> failures;
  std::uint64_t next = 0;  // first index not looked at; the total when there is no more
  ICARUS_FIELDS(ShowJobReply, job, items, failures, next)
};

// Answered at once by a JobUpdate; further ones are pushed with the same correlation id, each after the UpdateAck of
// the one before, coalesced to ten a second, the final one at once.
struct Watch {
  static constexpr MessageType kType = MessageType::kWatch;
  std::vector<JobId> jobs;  // empty: end this watch
  ICARUS_FIELDS(Watch, jobs)
};
struct JobUpdate {
  static constexpr MessageType kType = MessageType::kJobUpdate;
  std::uint64_t sequence = 0;
  std::vector<JobSummary> jobs;
  ICARUS_FIELDS(JobUpdate, sequence, jobs)
};
struct UpdateAck {
  static constexpr MessageType kType = MessageType::kUpdateAck;
  std::uint64_t sequence = 0;
  ICARUS_FIELDS(UpdateAck, sequence)
};

// How a result came to its task.
enum class ResultVia : std::uint8_t { kComputed = 0, kCache = 1, kJoined = 2, kImport = 3 };
constexpr int EnumCount(ResultVia) { return 4; }
constexpr bool IsFromCache(ResultVia via) { return via == ResultVia::kCache || via == ResultVia::kImport; }

struct FetchResults {
  static constexpr MessageType kType = MessageType::kFetchResults;
  JobId job;
  std::uint64_t first = 0;
  std::uint64_t limit = 0;  // 0: a full page
  ICARUS_FIELDS(FetchResults, job, first, limit)
};
struct ResultItem {
  TaskSummary task;
  std::string key;  // hex; empty when the task is not cacheable
  std::string solver;
  std::string identity;
  std::string host;
  std::int64_t computed_at_ms = 0;
  double compute_s = 0;
  ResultVia via = ResultVia::kComputed;
  std::int32_t body = -1;  // encoded ResultBody; −1: none
  // With a key, and parameters that it rounds (key_step): those, rounded. The result may be that of other values near
  // them; task.params are the task's own.
  std::optional<ValueMap> key_params;
  ICARUS_FIELDS(ResultItem, task, key, solver, identity, host, computed_at_ms, compute_s, via, body, key_params)
};
struct ResultPage {
  static constexpr MessageType kType = MessageType::kResultPage;
  std::vector<ResultItem> items;
  std::uint64_t next = 0;
  std::uint64_t total = 0;
  ICARUS_FIELDS(ResultPage, items, next, total)
};

// Answered when every task named has reached its end: the solver's processes are gone then.
struct Cancel {
  static constexpr MessageType kType = MessageType::kCancel;
  JobId job;
  std::vector<TaskIndex> tasks;  // empty: the whole job
  std::string reason;
  ICARUS_FIELDS(Cancel, job, tasks, reason)
};
struct CancelReply {
  static constexpr MessageType kType = MessageType::kCancelReply;
  std::uint64_t cancelled = 0;
  std::uint64_t already_final = 0;
  ICARUS_FIELDS(CancelReply, cancelled, already_final)
};

// What did not complete goes back to the queue: the next generation.
struct Retry {
  static constexpr MessageType kType = MessageType::kRetry;
  JobId job;
  std::vector<TaskIndex> tasks;  // empty: all that did not complete
  std::string id = {};           // idempotency key: sent again, it is the same retry; empty: each time a new one
  ICARUS_FIELDS(Retry, job, tasks, id)
};
struct RetryReply {
  static constexpr MessageType kType = MessageType::kRetryReply;
  std::uint64_t retried = 0;
  ICARUS_FIELDS(RetryReply, retried)
};

struct WorkerInfo {
  std::string name;
  std::string host;
  std::string state;  // active, held, draining, lost
  std::string held_reason;
  std::int32_t slots = 0;
  std::uint64_t running = 0;
  std::uint64_t queued = 0;
  std::map<std::string, std::string> solvers;
  std::map<std::string, std::string> unusable_solvers;
  std::map<std::string, std::string> labels;
  std::int64_t pid = 0;
  double last_seen_s = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::int64_t memory_bytes = 0;
  Telemetry telemetry;
  ICARUS_FIELDS(WorkerInfo, name, host, state, held_reason, slots, running, queued, solvers, unusable_solvers, labels,
                pid, last_seen_s, completed, failed, memory_bytes, telemetry)
};
struct ListWorkers {
  static constexpr MessageType kType = MessageType::kListWorkers;
  std::string drain;  // name or glob to drain; empty: none
  std::string resume;
  ICARUS_FIELDS(ListWorkers, drain, resume)
};
struct ListWorkersReply {
  static constexpr MessageType kType = MessageType::kListWorkersReply;
  std::vector<WorkerInfo> workers;
  ICARUS_FIELDS(ListWorkersReply, workers)
};

struct CacheQuery {
  static constexpr MessageType kType = MessageType::kCacheQuery;
  bool clear = false;
  ICARUS_FIELDS(CacheQuery, clear)
};
struct CacheReply {
  static constexpr MessageType kType = MessageType::kCacheReply;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_entries = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t joined = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expirations = 0;
  std::uint64_t damaged = 0;
  std::uint64_t dropped_puts = 0;
  std::uint64_t cleared = 0;
  std::string paused;            // why results are not cached now
  std::uint64_t value_hits = 0;  // of intermediate values
  std::uint64_t value_misses = 0;
  ICARUS_FIELDS(CacheReply, entries, bytes, max_bytes, max_entries, hits, misses, joined, evictions, expirations,
                damaged, dropped_puts, cleared, paused, value_hits, value_misses)
};

enum class ConfigVerb : std::uint8_t { kList = 0, kGet = 1, kSet = 2, kUnset = 3 };
constexpr int EnumCount(ConfigVerb) { return 4; }
struct Config {
  static constexpr MessageType kType = MessageType::kConfig;
  ConfigVerb verb = ConfigVerb::kList;
  std::string key;
  std::string value;
  ICARUS_FIELDS(Config, verb, key, value)
};
struct ConfigEntry {
  std::string key;
  std::string value;
  std::string origin;  // flag, environment, live, file, default
  ICARUS_FIELDS(ConfigEntry, key, value, origin)
};
struct ConfigReply {
  static constexpr MessageType kType = MessageType::kConfigReply;
  std::vector<ConfigEntry> entries;
  ICARUS_FIELDS(ConfigReply, entries)
};

// Why is it where it is?
struct Explain {
  static constexpr MessageType kType = MessageType::kExplain;
  JobId job;
  TaskIndex index = 0;
  ICARUS_FIELDS(Explain, job, index)
};
struct ExplainReply {
  static constexpr MessageType kType = MessageType::kExplainReply;
  TaskState state = TaskState::kPending;
  std::string kind;  // a stable word: no_worker, no_solver, unsatisfiable, held, waiting, queued, backoff, joined, …
  std::string text;  // one true sentence with numbers
  ICARUS_FIELDS(ExplainReply, state, kind, text)
};

// What happened, oldest first. `wait`: when there is nothing yet, the answer comes when there is.
struct ListEvents {
  static constexpr MessageType kType = MessageType::kListEvents;
  std::uint64_t after = 0;  // the number of an event
  std::uint64_t limit = 1000;
  bool wait = false;
  ICARUS_FIELDS(ListEvents, after, limit, wait)
};
struct EventsReply {
  static constexpr MessageType kType = MessageType::kEventsReply;
  std::vector<Event> events;  // those that the caller may see
  std::uint64_t last = 0;     // to go on after; what was asked for: there are no more
  ICARUS_FIELDS(EventsReply, events, last)
};

// An admin's: copies the store and the files to a directory of the broker's machine, which must not exist or be empty.
// Answered when the copy is complete and on disk; everything that was acknowledged before the request is in it.
struct Backup {
  static constexpr MessageType kType = MessageType::kBackup;
  std::string directory;  // absolute
  ICARUS_FIELDS(Backup, directory)
};
struct BackupReply {
  static constexpr MessageType kType = MessageType::kBackupReply;
  std::string lineage;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::int64_t wall_ms = 0;
  std::uint64_t blobs = 0;  // files
  ICARUS_FIELDS(BackupReply, lineage, epoch, sequence, wall_ms, blobs)
};

// --- workers --------------------------------------------------------------------------------------------------------

struct DispatchTask {
  ExecutionId execution;
  Token token;
  TaskIndex index = 0;
  std::uint32_t attempt = 1;
  std::uint32_t target = 0;  // into DispatchGroup::targets
  ValueMap params;
  std::optional<std::vector<FileRef>> kept;  // what an earlier attempt left (KeepSpec); they go before inputs
  ICARUS_FIELDS(DispatchTask, execution, token, index, attempt, target, params, kept)
};
// Tasks of one job, what they share once.
struct DispatchGroup {
  JobId job;
  std::string analysis;
  std::string solver;
  std::int32_t priority = 0;
  std::int64_t timeout_ms = 0;
  Resources resources;
  std::optional<CommandSpec> command;
  std::vector<std::string> axes;  // names that vary, for ICARUS_PARAM_<AXIS> and {axis}
  std::vector<Target> targets;
  std::vector<DispatchTask> tasks;
  std::optional<CachePolicy> cache;  // absent: kDefault
  ICARUS_FIELDS(DispatchGroup, job, analysis, solver, priority, timeout_ms, resources, command, axes, targets, tasks,
                cache)
};
// Leaves only when the record of these dispatches is durable. The worker starts as many as it has slots, by priority,
// then in order, and answers with TaskEvents and Results.
struct Dispatch {
  static constexpr MessageType kType = MessageType::kDispatch;
  std::vector<DispatchGroup> groups;
  ICARUS_FIELDS(Dispatch, groups)
};

struct ExecutionProgress {
  ExecutionId execution;
  double fraction = 0;
  std::string message;
  ICARUS_FIELDS(ExecutionProgress, execution, fraction, message)
};
// What a running attempt has saved so far (KeepSpec); its files are stored at the broker before this is sent.
struct SavedFiles {
  ExecutionId execution;
  Token token;
  std::vector<FileRef> files;
  ICARUS_FIELDS(SavedFiles, execution, token, files)
};
// What happened at the worker short of a result; no answer. `returned`: given back without being started.
struct TaskEvents {
  static constexpr MessageType kType = MessageType::kTaskEvents;
  std::vector<ExecutionId> started;
  std::vector<ExecutionProgress> progress;
  std::vector<HeldExecution> returned;
  std::optional<std::vector<SavedFiles>> saved;
  ICARUS_FIELDS(TaskEvents, started, progress, returned, saved)
};

struct ExecutionResult {
  ExecutionId execution;
  Token token;
  TaskState outcome = TaskState::kCompleted;  // a final state; cancelled although nobody asked: it is given back
  std::optional<TaskError> error;             // when it is not completed
  double run_s = 0;
  std::int64_t finished_at_ms = 0;
  std::int32_t body = -1;
  bool incomplete = false;  // has missing points
  bool cacheable = true;    // false: another run of the same may give more (a watchdog left the gap)
  std::optional<double> cpu_s;
  std::optional<std::uint64_t> max_rss_bytes;
  std::optional<std::string> output_tail;         // when it is not completed
  std::optional<std::vector<ContentHash>> blobs;  // that the body names; stored at the broker before this is sent
  std::optional<std::uint64_t> blob_bytes;        // all of them together
  std::optional<std::vector<FileRef>> kept;       // for the next attempt (KeepSpec); stored too
  ICARUS_FIELDS(ExecutionResult, execution, token, outcome, error, run_s, finished_at_ms, body, incomplete, cacheable,
                cpu_s, max_rss_bytes, output_tail, blobs, blob_bytes, kept)
};
// Kept by the worker, and sent again, until ResultsAck names the execution.
struct Results {
  static constexpr MessageType kType = MessageType::kResults;
  std::vector<ExecutionResult> results;
  ICARUS_FIELDS(Results, results)
};
// The results are on disk, or are not wanted any more: the worker may forget them.
struct ResultsAck {
  static constexpr MessageType kType = MessageType::kResultsAck;
  std::vector<ExecutionId> executions;
  std::uint64_t sequence = 0;  // of the last batch that is on disk
  ICARUS_FIELDS(ResultsAck, executions, sequence)
};
// Ends these: a started one is killed and answered with a Results entry, a queued one with TaskEvents::returned.
struct StopExecutions {
  static constexpr MessageType kType = MessageType::kStopExecutions;
  std::vector<ExecutionId> executions;
  bool recall = false;  // only those not started
  ICARUS_FIELDS(StopExecutions, executions, recall)
};
// The worker takes nothing more; what it holds it will finish or return.
struct Drain {
  static constexpr MessageType kType = MessageType::kDrain;
  bool draining = true;
  ICARUS_FIELDS(Drain, draining)
};

template <class... Types>
struct TypeList {};
using AllMessages =
    TypeList<Hello, Welcome, ErrorReply, Heartbeat, HeartbeatReply, Goodbye, BlobPut, BlobPutReply, BlobGet, BlobData,
             Submit, SubmitReply, Estimate, EstimateReply, ListJobs, ListJobsReply, ShowJob, ShowJobReply, Watch,
             JobUpdate, UpdateAck, FetchResults, ResultPage, Cancel, CancelReply, Retry, RetryReply, Explain,
             ExplainReply, ListWorkers, ListWorkersReply, CacheQuery, CacheReply, ListCache, ListCacheReply,
             RemoveCached, RemoveCachedReply, ImportCache, ImportCacheReply, Config, ConfigReply, ListEvents,
             EventsReply, Backup, BackupReply, Dispatch, TaskEvents, Results, ResultsAck, StopExecutions, Drain,
             GetValues, GetValuesReply, PutValues, Upkeep, UpkeepReply>;

// One message as it is handed about: what it says, the request it belongs to, and its bodies.
struct Message {
  std::uint64_t correlation = 0;  // chosen by the requester, copied into the answer; 0: none
  AnyMessage payload;
  std::vector<Body> bodies;
  MessageStamp stamp = {};  // set and looked at by the ends of the connection only
};

inline ErrorReply ToErrorReply(const Error& error) {
  return ErrorReply{error.code, error.message, error.field, error.retry_after_s};
}
inline Error ToError(const ErrorReply& reply) {
  return Error{reply.code, reply.message, reply.field, reply.retry_after_s};
}

}  // namespace icarus
