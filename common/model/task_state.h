// The states of a task and of a job, and the one table of legal transitions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace icarus {

enum class TaskState : std::uint8_t {
  kWaiting = 0,  // on another task
  kPending = 1,  // may run when there is room
  kRunning = 2,  // an attempt has started
  kCompleted = 3,
  kFailed = 4,
  kTimedOut = 5,
  kCancelled = 6,
};
inline constexpr int kTaskStateCount = 7;
constexpr int EnumCount(TaskState) { return kTaskStateCount; }

constexpr bool IsFinal(TaskState state) { return state >= TaskState::kCompleted; }
std::string_view StateName(TaskState state);
std::optional<TaskState> ParseState(std::string_view name);

// True when a task may go from one state to the other. The final states but `completed` leave only by the owner's
// retry.
bool IsLegalTransition(TaskState from, TaskState to);

// Why a task did not complete. The words of StateErrorName are stable.
enum class TaskErrorKind : std::uint8_t {
  kNone = 0,
  kInvalidInput = 1,
  kSolverCrashed = 2,
  kNonzeroExit = 3,
  kNoConvergence = 4,
  kTimedOut = 5,
  kWorkerLost = 6,
  kDependencyFailed = 7,
  kOutputMissing = 8,
  kResourceExceeded = 9,
  kInternal = 10,
  kCancelled = 11,
};
constexpr int EnumCount(TaskErrorKind) { return 12; }
std::string_view TaskErrorName(TaskErrorKind kind);

// Tasks of a job, by state.
using StateCounts = std::array<std::uint64_t, kTaskStateCount>;

// While some task is not final: running if any runs or has ended, else pending, else waiting.
// When all are: failed > timed_out > cancelled > completed.
TaskState JobState(const StateCounts& counts);

}  // namespace icarus
