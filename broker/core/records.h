// What the broker keeps on disk, as plain data. A batch of records is written in one synced step, and again if that
// failed: every record is absolute, none depends on what was there before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/model/event.h"
#include "common/model/fields.h"
#include "common/model/ids.h"
#include "common/model/job_spec.h"
#include "common/model/result_body.h"
#include "common/model/task_state.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

// Schema 2 has no events; a store of it is read, and is of schema 3 from the first batch on.
inline constexpr std::uint32_t kStoreSchema = 3;
inline constexpr std::uint32_t kOldestStoreSchema = 2;
constexpr bool IsKnownSchema(std::uint32_t schema) { return schema >= kOldestStoreSchema && schema <= kStoreSchema; }

// Ids and tokens of executions are epoch << kEpochShift | number.
inline constexpr int kEpochShift = 40;

// What the cache has done since the store was made.
struct CacheCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t joined = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expirations = 0;
  std::uint64_t damaged = 0;
  std::uint64_t refused = 0;                // puts: larger than the whole cache, or not written
  std::optional<std::uint64_t> value_hits;  // of intermediate values
  std::optional<std::uint64_t> value_misses;
  ICARUS_FIELDS(CacheCounters, hits, misses, joined, evictions, expirations, damaged, refused, value_hits, value_misses)
  friend bool operator==(const CacheCounters&, const CacheCounters&) = default;
};

// One a store.
struct StoreMeta {
  std::uint32_t schema = kStoreSchema;
  std::string lineage;         // drawn when the store is made
  std::uint64_t epoch = 0;     // counts the broker's starts; part of every execution id and token
  std::uint64_t sequence = 0;  // of the last batch
  std::int64_t clock_ms = 0;   // broker time of the last batch: all the time that brokers have served this store
  std::uint64_t last_job = 0;  // the highest id that was given, also when that job is not kept any more
  std::optional<CacheCounters> cache;  // as of the last batch that changed them
  ICARUS_FIELDS(StoreMeta, schema, lineage, epoch, sequence, clock_ms, last_job, cache)
};

// Written once, at submission.
struct JobRecord {
  JobId job;
  std::string user;
  std::string id;  // idempotency key of the submission
  std::int64_t submitted_at_ms = 0;
  std::int64_t enqueued_ms = 0;  // broker time
  JobSpec spec;
  ICARUS_FIELDS(JobRecord, job, user, id, submitted_at_ms, enqueued_ms, spec)
};

// A retry by the owner that has been carried out.
struct RetryNote {
  std::string id;
  std::uint64_t retried = 0;
  ICARUS_FIELDS(RetryNote, id, retried)
};

// Written when one of its members changes. `remainder`: the final state of every task that has no record of its own
// (cancelled as a whole, deadline passed, queued for too long).
struct JobStatusRecord {
  JobId job;
  std::string solver_identity;  // resolved when the first worker or setting named it
  std::optional<TaskState> remainder;
  std::optional<TaskError> remainder_error;
  bool closed = false;                // with a remainder: what comes back to the queue ends like it
  bool released = false;              // what it waited for has happened
  std::int64_t enqueued_ms = 0;       // broker time of the submission, the release or the last retry
  std::int64_t deadline_at_ms = 0;    // broker time; 0: none
  std::int64_t finished_at_ms = 0;    // wall; 0: not finished
  std::int64_t ended_ms = 0;          // the same in broker time
  std::vector<std::uint64_t> counts;  // by state, when finished
  std::uint64_t cached = 0;
  std::uint64_t joined = 0;
  std::uint64_t incomplete = 0;
  std::vector<FailureGroup> failures;  // when finished; before, the tasks' records tell
  std::vector<RetryNote> retry_notes;  // of the last retries that had an id
  ICARUS_FIELDS(JobStatusRecord, job, solver_identity, remainder, remainder_error, closed, released, enqueued_ms,
                deadline_at_ms, finished_at_ms, ended_ms, counts, cached, joined, incomplete, failures, retry_notes)
};

// A task that ended, or that is to run again and has a history. Its body, when it has one, is stored beside it.
struct TaskRecord {
  TaskState state = TaskState::kPending;
  std::uint32_t attempt = 0;
  std::uint32_t failures = 0;
  std::uint32_t worker_deaths = 0;
  std::uint32_t generation = 0;
  Token ended_token;  // of the last dispatch that is known to have ended
  std::string worker;
  std::string host;
  std::string identity;  // of the solver that computed it
  std::optional<ContentHash> key;
  std::int64_t ended_at_ms = 0;
  std::int64_t computed_at_ms = 0;
  double queue_wait_s = 0;
  double run_s = 0;
  double compute_s = 0;
  std::int64_t not_before_ms = 0;  // broker time; pending, and not to be started again before
  ResultVia via = ResultVia::kComputed;
  bool incomplete = false;
  bool has_body = false;
  std::optional<TaskError> error;
  std::optional<std::vector<ContentHash>> blobs;
  std::optional<std::vector<AttemptRecord>> history;
  std::optional<std::vector<FileRef>> kept;  // for its next attempt
  ICARUS_FIELDS(TaskRecord, state, attempt, failures, worker_deaths, generation, ended_token, worker, host, identity,
                key, ended_at_ms, computed_at_ms, queue_wait_s, run_s, compute_s, not_before_ms, via, incomplete,
                has_body, error, blobs, history, kept)
};

struct DispatchedTask {
  ExecutionId execution;
  Token token;
  JobId job;
  TaskIndex index = 0;
  ICARUS_FIELDS(DispatchedTask, execution, token, job, index)
};
// Tasks that were handed to one worker in one step; deleted when the last of them has ended or was taken back.
struct DispatchRecord {
  std::uint64_t id = 0;  // the first token
  std::string worker_instance;
  std::string worker_name;
  std::vector<DispatchedTask> tasks;
  ICARUS_FIELDS(DispatchRecord, id, worker_instance, worker_name, tasks)
};

struct PutJob {
  JobRecord job;
};
struct PutJobStatus {
  JobStatusRecord status;
};
struct DeleteJob {
  JobId job;
};  // and all that belongs to it
struct PutTask {
  TaskRef task;
  TaskRecord record;
  Body body;
};  // body null: none (record.has_body false)
struct DeleteTask {
  TaskRef task;
};
struct PutDispatch {
  DispatchRecord dispatch;
};
struct DeleteDispatch {
  std::uint64_t id = 0;
};
struct PutSetting {
  std::string key;
  std::string value;
};
struct DeleteSetting {
  std::string key;
};
// One a batch, stored under the number of its first event.
struct EventsRecord {
  std::vector<Event> events;
  ICARUS_FIELDS(EventsRecord, events)
};
struct PutEvents {
  std::vector<Event> events;
};
struct DeleteEvents {
  std::uint64_t first = 0;
};
struct PutCacheCounters {
  CacheCounters counters;
};                   // into the store's meta
struct KeepTime {};  // nothing but the broker's time, which every batch carries

using Record = std::variant<PutJob, PutJobStatus, DeleteJob, PutTask, DeleteTask, PutDispatch, DeleteDispatch,
                            PutSetting, DeleteSetting, PutEvents, DeleteEvents, PutCacheCounters, KeepTime>;

struct RecordBatch {
  std::uint64_t sequence = 0;  // rises by one a batch, over restarts too
  std::int64_t clock_ms = 0;   // broker time
  std::vector<Record> records;
};

// Whether what is valid until `expires_at_ms` (0: for ever) has ended.
inline bool HasExpired(std::int64_t expires_at_ms, std::int64_t wall_ms) {
  return expires_at_ms != 0 && expires_at_ms <= wall_ms;
}

// What the cache keeps of an entry beside its body.
struct CacheEntry {
  std::string analysis;
  std::string solver;
  std::string identity;
  std::string host;
  std::int64_t computed_at_ms = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
  double compute_s = 0;
  std::uint64_t size_bytes = 0;  // logical: of the body and of the files that it names
  std::uint64_t last_used = 0;   // a counter, not a time
  bool incomplete = false;
  std::optional<std::vector<ContentHash>> blobs;
  std::optional<CacheOrigin> origin;  // absent: computed
  std::optional<TaskError> error;     // it is known to fail so; the body may be empty
  // For people and other caches; in the store alone.
  std::optional<std::string> form;    // the canonical form that the key is the hash of
  std::optional<std::string> target;  // as its submitter called it
  ICARUS_FIELDS(CacheEntry, analysis, solver, identity, host, computed_at_ms, expires_at_ms, compute_s, size_bytes,
                last_used, incomplete, blobs, origin, error, form, target)
};

// In logical bytes: what the cache's store is meant to hold, and the most that it may.
struct CacheRoom {
  std::uint64_t live_bytes = 0;
  std::uint64_t max_bytes = 0;
};

}  // namespace icarus::broker
