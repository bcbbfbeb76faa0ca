// What must hold, watched from outside: the records that became durable, the messages that arrived, the bytes that were
// handed out. Shares no code with the broker; its tables are its own.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/disk.h"
#include "tests/sim/starvation.h"

namespace icarus::sim {

// What the solver makes of a task's inputs: a pure function that solver and oracle share.
std::string ExpectedBody(const std::string& analysis, const std::string& target, const ValueMap& params);

class Oracle {
 public:
  // `aging_ms`: of the queue, by which nobody waits for too long; 0: that is not looked at.
  explicit Oracle(const StoreImage& durable, std::int64_t aging_ms)
      : durable_(durable), starvation_(durable, aging_ms) {}

  // --- the disk
  void BeforeBatch(const broker::RecordBatch& batch);
  void AfterBatch();
  // A broker has started from what is on disk.
  void OnRecovered(std::uint64_t sequence);

  // --- what clients are told
  void OnSubmitted(const std::string& id, JobId job, std::uint64_t tasks);
  void OnCancelled(JobId job, const std::vector<TaskIndex>& tasks, std::uint64_t cancelled);
  void OnCancelAsked(JobId job) { cancel_asked_.insert(job); }
  void OnRetryAsked(JobId job, const std::vector<TaskIndex>& tasks);
  void OnTaskSeen(const std::string& user, JobId job, const TaskSummary& task);
  void OnResultSeen(const std::string& user, JobId job, const ResultItem& item, const Body& body);
  void OnJobSeen(const JobSummary& job);

  // --- what workers are told and do
  void OnDispatched(const std::string& instance, const DispatchGroup& group, const DispatchTask& task);
  void OnRefused(ExecutionId execution) { refused_.insert(execution); }
  // A dispatch was decided, and so every older token of these executions is stale.
  void OnDispatchDecided(const broker::DispatchRecord& record, std::int64_t now_ms);
  // A result has been taken by the broker; `refused`: it was turned down.
  void OnResultTaken(const ExecutionResult& result, bool refused);
  void OnResultSent(ExecutionId execution, TaskRef task, TaskState outcome);
  void OnResultAcknowledged(ExecutionId execution);
  void OnAttemptStarted(TaskRef task, const std::string& instance);
  void OnAttemptEnded(TaskRef task, const std::string& instance, bool completed);

  // --- the end: faults have stopped, everything had time to settle
  // `single_runs`: nothing went wrong that allows a task to be run to its end twice.
  void AtEnd(bool single_runs);
  // No task is at two workers at once any more.
  void CheckSingleHolders();

  const std::vector<std::string>& violations() const { return violations_; }
  void Fail(const std::string& what) {
    if (violations_.size() < 20) violations_.push_back(what);
  }
  std::uint64_t checks() const { return checks_; }
  const std::map<std::string, JobId>& submitted() const { return submitted_; }

 private:
  // A task as the records say it is.
  TaskState StateOf(const StoredJob& job, TaskIndex index) const;
  std::uint64_t TotalOf(const StoredJob& job) const;
  void CheckDependencies(JobId id);
  void OnExpired(JobId id);
  void NoteTokens(const broker::DispatchRecord& record);
  bool UpstreamRetried(JobId id) const;
  void CheckTransition(TaskRef task, TaskState from, TaskState to);
  static bool IsEnd(TaskState state) { return static_cast<int>(state) >= 3; }

  const StoreImage& durable_;
  StarvationWatch starvation_;
  std::map<TaskRef, TaskState> before_;       // of the jobs that the batch touches
  std::map<std::string, JobId> submitted_;    // acknowledged, by idempotency id
  std::map<JobId, std::uint64_t> tasks_;      // of acknowledged jobs
  std::map<TaskRef, std::uint64_t> retries_;  // asked for by the owner
  std::set<JobId> cancel_asked_;
  std::map<TaskRef, std::uint64_t> reopenings_;               // that became durable
  std::map<TaskRef, TaskState> shown_;                        // final states that somebody was told
  std::set<std::pair<std::string, TaskRef>> seen_completed_;  // by whom
  std::map<TaskRef, int> completions_;                        // recorded
  std::map<ExecutionId, TaskRef> sent_results_;               // completed ones
  std::set<ExecutionId> refused_;
  std::map<ExecutionId, Token> last_token_;
  std::map<TaskRef, std::set<std::string>> holders_;  // instances with a running attempt
  std::map<TaskRef, int> completed_runs_;
  std::map<TaskRef, std::string> bodies_;  // as first handed out
  std::set<JobId> expired_;
  std::uint64_t highest_sequence_ = 0;
  std::uint64_t latest_token_ = 0;  // in a durable dispatch
  std::uint64_t checks_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace icarus::sim
