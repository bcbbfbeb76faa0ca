// Phrases that several texts share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/text.h"

#include "client/output/derived.h"
#include "client/output/display.h"

namespace icarus::client {

inline Colour StateColour(TaskState state) {
  switch (state) {
    case TaskState::kCompleted: return Colour::kGreen;
    case TaskState::kFailed:
    case TaskState::kTimedOut: return Colour::kRed;
    case TaskState::kCancelled: return Colour::kYellow;
    case TaskState::kRunning: return Colour::kBlue;
    case TaskState::kWaiting:
    case TaskState::kPending: return Colour::kGrey;
  }
  return Colour::kNone;
}

// "60 tasks: 57 completed (12 cached, 3 joined), 1 running, 2 failed": final states that there are, then what goes on.
inline std::string CountsText(const JobSummary& job) {
  std::string text = Counted(job.total, "task");
  std::string_view separator = ": ";
  for (const TaskState state : {TaskState::kCompleted, TaskState::kRunning, TaskState::kPending, TaskState::kWaiting,
                                TaskState::kFailed, TaskState::kTimedOut, TaskState::kCancelled}) {
    const std::uint64_t count = CountOf(job, state);
    if (count == 0) continue;
    std::string word(StateName(state));
    if (state == TaskState::kTimedOut) word = "timed out";
    text += std::string(separator) + std::to_string(count) + " " + word;
    separator = ", ";
    if (state != TaskState::kCompleted || job.cached + job.joined == 0) continue;
    text += " (";
    if (job.cached > 0) text += std::to_string(job.cached) + " cached";
    if (job.joined > 0) text += (job.cached > 0 ? ", " : "") + std::to_string(job.joined) + " joined";
    text += ")";
  }
  return text;
}

}  // namespace icarus::client
