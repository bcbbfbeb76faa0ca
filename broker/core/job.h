// One job: the states of its tasks, and what is known of those that are not plainly pending.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/records.h"
#include "common/analysis/manifest.h"
#include "common/model/ids.h"
#include "common/model/job_spec.h"
#include "common/model/task_state.h"

namespace icarus::broker {

// A task that has been touched and is not final.
struct TaskExtra {
  std::uint32_t attempt = 0;
  std::uint32_t failures = 0;
  std::uint32_t worker_deaths = 0;
  std::uint32_t generation = 0;
  Token ended_token;      // of the last dispatch that is known to have ended
  ExecutionId execution;  // that it subscribes to; 0: none
  bool reading = false;   // its value is being read from the cache
  bool no_hit = false;    // the cached value was damaged: do not look again
  bool counted = false;   // as hit, joined or miss
  double progress = 0;
  std::int64_t not_before_ms = 0;  // broker time; backing off until then
  std::int64_t queue_due_ms = 0;   // broker time; --queue-timeout of a task that came back; 0: none
  std::optional<TaskError> last_error;
  std::vector<AttemptRecord> history;
  std::optional<std::vector<FileRef>> kept;  // what its last attempt left for the next
};

// Tasks of a job by index. State takes one byte a task in chunks made on first touch; everything else is sparse.
// The one place that changes task states: SetState checks the transition table and keeps the counts.
class Job {
 public:
  Job(JobRecord record, const Manifest& manifest, std::uint32_t total);

  JobId id() const { return record_.job; }
  const JobRecord& record() const { return record_; }
  const JobSpec& spec() const { return record_.spec; }
  // The content of an awaited input is known. REQUIRES a command with that input.
  void SetInput(std::uint32_t input, FileRef file) { record_.spec.command->inputs.at(input) = std::move(file); }
  const Manifest& manifest() const { return *manifest_; }
  std::uint32_t total() const { return total_; }

  TaskState StateOf(TaskIndex index) const;
  // Pending, and neither at a worker, nor joined, nor being read from the cache, nor backing off.
  bool IsReady(TaskIndex index) const;
  // REQUIRES a legal transition.
  void SetState(TaskIndex index, TaskState state);
  // As found in the store, at recovery: no transition is checked.
  void RestoreState(TaskIndex index, TaskState state);
  // Marks a pending task as taken (by an execution, a read, a backoff), or ready again as if it had never been taken.
  void SetBusy(TaskIndex index, bool busy);

  // Held: no task of it may run yet, all that are not taken are shown as waiting. A job that waits for others, or for
  // its time, is made so.
  void Hold();
  void Release();
  bool held() const { return held_; }
  bool ReadsCache() const { return cacheable && !spec().MustBeFresh(); }

  // Every ready task that was never taken becomes final at once, without being touched. Returns how many. `closed`:
  // what is taken now ends like it, should it come back.
  std::uint64_t EndRemainder(TaskState state, std::optional<TaskError> error, bool closed);
  // Takes that back: what it ended is pending again. Returns how many.
  std::uint64_t ReopenRemainder();
  bool closed() const { return closed_; }
  const std::optional<TaskState>& remainder() const { return remainder_; }
  const std::optional<TaskError>& remainder_error() const { return remainder_error_; }
  std::uint64_t RemainderCount() const;
  // True when the task's state comes from the remainder, so that it has no record of its own.
  bool InRemainder(TaskIndex index) const;

  // The next ready task: what came back first, then the lowest index never taken. nullopt: none is ready.
  std::optional<TaskIndex> NextReady();
  // The same without changing anything but the cursor.
  bool HasReady() { return NextReady().has_value(); }
  // A task that was taken is ready again; it goes before those that were never taken.
  void Return(TaskIndex index);
  // Those that came back and have not been taken since.
  const std::set<TaskIndex>& returned() const { return returned_; }
  // All tasks are looked at again (after a retry of the whole job).
  void Rewind() { next_ = 0; }

  TaskExtra& Extra(TaskIndex index) { return extras_[index]; }
  const TaskExtra* FindExtra(TaskIndex index) const;
  void DropExtra(TaskIndex index) { extras_.erase(index); }
  const std::unordered_map<TaskIndex, TaskExtra>& extras() const { return extras_; }
  // Neither final nor ready: at a worker, joined, being read from the cache, or backing off. Ascending.
  std::vector<TaskIndex> Taken() const;

  const StateCounts& counts() const { return counts_; }
  std::uint64_t Count(TaskState state) const { return counts_[static_cast<std::size_t>(state)]; }
  std::uint64_t ready() const { return Count(TaskState::kPending) - busy_pending_; }
  // Ready, or held.
  std::uint64_t unstarted() const { return ready() + Count(TaskState::kWaiting); }
  bool finished() const;
  TaskState state() const { return JobState(counts_); }
  // A finished job keeps only its counts; ask the store for its tasks.
  void ReleaseTasks();
  bool tasks_released() const { return released_; }
  // Makes room for task states again, all of them `completed` until RestoreState says otherwise.
  void RestoreFinishedCounts(const StateCounts& counts);
  void ReloadTasks();

  JobStatusRecord StatusRecord() const;
  void RestoreStatus(const JobStatusRecord& status);

  // No task of it was ever taken or has ended, and none is held: it is as it was submitted, or released.
  bool IsUntouched() const;

  // Kept by the JobTable.
  bool in_use = false;        // asked for in this turn
  bool idle = false;          // among those to be packed
  bool is_too_large = false;  // to be packed

  bool is_unresolved = false;  // it is among the UnresolvedJobs

  // Plain facts, kept by the core.
  std::string identity;  // of the solver; empty: not known yet
  std::uint32_t request_class = 0;
  bool cacheable = false;
  bool reads_input = false;         // the store is being asked for an awaited input
  TaskIndex probe_next = 0;         // the first task not probed ahead
  std::int64_t enqueued_ms = 0;     // broker time of the submission, the release or the last retry
  std::int64_t deadline_at_ms = 0;  // broker time; 0: none
  std::int64_t finished_at_ms = 0;  // wall
  std::int64_t ended_ms = 0;        // the same in broker time
  std::uint64_t cached = 0;
  std::uint64_t joined = 0;
  std::uint64_t incomplete = 0;
  std::uint64_t in_flight = 0;  // tasks at workers
  std::uint64_t computed = 0;   // executions of its tasks that have ended, since the broker's start
  std::uint64_t retries = 0;    // by the owner, since the broker's start
  std::vector<RetryNote> retry_notes;
  bool in_queue = false;
  bool max_fails_reached = false;
  std::vector<FailureGroup> failures;
  std::set<TaskIndex> active;  // running tasks, for progress

 private:
  static constexpr std::uint32_t kChunk = 4096;
  static constexpr std::uint8_t kBusy = 0x10;
  static constexpr std::uint8_t kReturned = 0x20;  // pending and ready, whatever the remainder says
  using Chunk = std::array<std::uint8_t, kChunk>;

  std::uint8_t Byte(TaskIndex index) const;
  std::uint8_t& MutableByte(TaskIndex index);
  void Move(TaskState from, TaskState to);
  TaskState Counted(std::uint8_t byte) const;  // as which state a task with this byte counts
  TaskState Untaken() const;                   // the same of one that was never touched

  JobRecord record_;
  const Manifest* manifest_;
  std::uint32_t total_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::unordered_map<TaskIndex, TaskExtra> extras_;
  StateCounts counts_{};
  std::uint64_t busy_pending_ = 0;
  std::optional<TaskState> remainder_;
  std::optional<TaskError> remainder_error_;
  bool closed_ = false;
  bool held_ = false;
  TaskIndex next_ = 0;
  std::set<TaskIndex> returned_;
  bool released_ = false;
};

}  // namespace icarus::broker
