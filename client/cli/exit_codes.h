// The exit codes of `icarus` beside those of errors (common/base/exit_code.h).
#pragma once

#include "common/base/exit_code.h"
#include "common/protocol/messages.h"

namespace icarus::client {

inline constexpr int kExitDone = 0;
inline constexpr int kExitIncomplete = 1;  // the work did not complete
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnavailable = 3;  // no broker answers
inline constexpr int kExitRefused = 4;
inline constexpr int kExitNotYet = 5;
inline constexpr int kExitOverloaded = 6;
inline constexpr int kExitInternal = 70;
inline constexpr int kExitInterrupted = 130;

// Of `run`, where the command's own code is passed on.
inline constexpr int kExitRunTimedOut = 124;
inline constexpr int kExitRunIcarus = 125;  // Icarus itself failed
inline constexpr int kExitRunSignal = 128;  // plus the signal's number

// 0 when every task completed, and with --strict without missing points.
int ExitCodeOf(const JobSummary& job);

// What `run` ends with: the command's own code, 128 + signal, 124, or 125 when it did not get to run or to end.
int RunExitCode(const TaskSummary& task);

}  // namespace icarus::client
