#include "common/model/task_state.h"

namespace icarus {
namespace {

constexpr std::array<std::string_view, kTaskStateCount> kStateNames = {"waiting", "pending",   "running",  "completed",
                                                                       "failed",  "timed_out", "cancelled"};

constexpr std::array<std::string_view, 12> kErrorNames = {
    "",          "invalid_input", "solver_crashed",    "nonzero_exit",   "no_convergence",
    "timed_out", "worker_lost",   "dependency_failed", "output_missing", "resource_exceeded",
    "internal",  "cancelled"};

// Rows: from; columns: to (waiting, pending, running, completed, failed, timed_out, cancelled).
// pending → completed is a cache hit or a joined result; running → pending a return to the queue;
// failed, timed_out, cancelled → pending or waiting the owner's retry.
constexpr bool kLegal[kTaskStateCount][kTaskStateCount] = {
    /* waiting   */ {false, true, false, false, true, true, true},
    /* pending   */ {true, false, true, true, true, true, true},
    /* running   */ {true, true, false, true, true, true, true},
    /* completed */ {false, false, false, false, false, false, false},
    /* failed    */ {true, true, false, false, false, false, false},
    /* timed_out */ {true, true, false, false, false, false, false},
    /* cancelled */ {true, true, false, false, false, false, false},
};

std::uint64_t Count(const StateCounts& counts, TaskState state) { return counts[static_cast<std::size_t>(state)]; }

}  // namespace

std::string_view StateName(TaskState state) { return kStateNames[static_cast<std::size_t>(state)]; }

std::optional<TaskState> ParseState(std::string_view name) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == name) return static_cast<TaskState>(i);
  }
  return std::nullopt;
}

bool IsLegalTransition(TaskState from, TaskState to) {
  return kLegal[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

std::string_view TaskErrorName(TaskErrorKind kind) { return kErrorNames[static_cast<std::size_t>(kind)]; }

TaskState JobState(const StateCounts& counts) {
  const std::uint64_t final = Count(counts, TaskState::kCompleted) + Count(counts, TaskState::kFailed) +
                              Count(counts, TaskState::kTimedOut) + Count(counts, TaskState::kCancelled);
  const std::uint64_t running = Count(counts, TaskState::kRunning);
  const std::uint64_t pending = Count(counts, TaskState::kPending);
  const std::uint64_t waiting = Count(counts, TaskState::kWaiting);
  if (running + pending + waiting > 0) {
    if (running + final > 0) return TaskState::kRunning;
    return pending > 0 ? TaskState::kPending : TaskState::kWaiting;
  }
  for (const TaskState state : {TaskState::kFailed, TaskState::kTimedOut, TaskState::kCancelled}) {
    if (Count(counts, state) > 0) return state;
  }
  return TaskState::kCompleted;
}

}  // namespace icarus
