#include "client/cli/exit_codes.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace icarus::client {
namespace {

TEST(ExitCodes, OfErrors) {
  const std::vector<std::pair<ErrorCode, int>> expected = {
      {ErrorCode::kUsage, 2},  {ErrorCode::kUnavailable, 3}, {ErrorCode::kRefused, 4},   {ErrorCode::kNotFound, 4},
      {ErrorCode::kNotYet, 5}, {ErrorCode::kOverloaded, 6},  {ErrorCode::kInternal, 70}, {ErrorCode::kProtocol, 70},
      {ErrorCode::kIo, 70},    {ErrorCode::kCorruption, 70},
  };
  for (const auto& [code, exit] : expected) EXPECT_EQ(ExitCodeOf(code), exit);
}

TEST(ExitCodes, OfJobs) {
  JobSummary job;
  job.state = TaskState::kCompleted;
  EXPECT_EQ(ExitCodeOf(job), 0);
  job.incomplete = 2;
  EXPECT_EQ(ExitCodeOf(job), 0);  // missing points are a note
  job.strict = true;
  EXPECT_EQ(ExitCodeOf(job), 1);
  for (const TaskState state : {TaskState::kFailed, TaskState::kTimedOut, TaskState::kCancelled, TaskState::kRunning}) {
    job.state = state;
    EXPECT_EQ(ExitCodeOf(job), 1);
  }
}

TaskSummary Ended(TaskState state, TaskErrorKind kind, std::optional<std::int32_t> exit_code,
                  std::optional<std::int32_t> signal) {
  TaskSummary task;
  task.state = state;
  if (kind != TaskErrorKind::kNone) task.error = TaskError{kind, "why", exit_code, signal};
  return task;
}

TEST(ExitCodes, OfRun) {
  using enum TaskErrorKind;
  EXPECT_EQ(RunExitCode(Ended(TaskState::kCompleted, kNone, {}, {})), 0);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kFailed, kNonzeroExit, 7, {})), 7);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kFailed, kSolverCrashed, {}, 9)), 137);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kTimedOut, TaskErrorKind::kTimedOut, {}, 15)), 124);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kFailed, kInvalidInput, 127, {})), 127);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kFailed, kInvalidInput, 126, {})), 126);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kFailed, kOutputMissing, 0, {})), 125);  // it did not fail by its own account
  EXPECT_EQ(RunExitCode(Ended(TaskState::kFailed, kWorkerLost, {}, {})), 125);
  EXPECT_EQ(RunExitCode(Ended(TaskState::kCancelled, TaskErrorKind::kCancelled, {}, {})), 125);
}

}  // namespace
}  // namespace icarus::client
