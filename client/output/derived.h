// Small numbers that several views derive from the messages in the same way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/protocol/messages.h"

namespace icarus::client {

// 0 for a state that the summary does not count.
inline std::uint64_t CountOf(const JobSummary& job, TaskState state) {
  const auto index = static_cast<std::size_t>(state);
  return index < job.counts.size() ? job.counts[index] : 0;
}

inline std::uint64_t FinalCount(const JobSummary& job) {
  return CountOf(job, TaskState::kCompleted) + CountOf(job, TaskState::kFailed) + CountOf(job, TaskState::kTimedOut) +
         CountOf(job, TaskState::kCancelled);
}

inline double ToMebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

// 0 when there is no whole.
inline double Percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

// A solver identity `name@version+build` or `version+build` in its parts; all of it is the build when there is no '+'.
struct SolverVersion {
  std::string version;
  std::string build;
};
inline SolverVersion SplitIdentity(std::string_view identity) {
  if (const auto at = identity.find('@'); at != std::string_view::npos) identity.remove_prefix(at + 1);
  const auto plus = identity.find('+');
  if (plus == std::string_view::npos) return {std::string(identity), std::string(identity)};
  return {std::string(identity.substr(0, plus)), std::string(identity.substr(plus + 1))};
}

// "solver_crashed: killed by signal 8"; the kind alone when nothing more is known; empty for none.
inline std::string ErrorText(const std::optional<TaskError>& error) {
  if (!error || error->kind == TaskErrorKind::kNone) return {};
  std::string text(TaskErrorName(error->kind));
  if (!error->message.empty()) text += ": " + error->message;
  return text;
}

}  // namespace icarus::client
