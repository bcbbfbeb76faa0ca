#include "worker/core/outcome.h"

#include "common/base/text.h"

namespace icarus::worker {
namespace {

std::string FormatLimit(std::int64_t timeout_ms) {
  const double seconds = static_cast<double>(timeout_ms) / 1000;
  return seconds < 60 ? FormatNumber(seconds) + " s" : FormatDuration(seconds);
}

TaskState OutcomeOf(const TaskError& error) {
  switch (error.kind) {
    case TaskErrorKind::kNone: return TaskState::kCompleted;
    case TaskErrorKind::kTimedOut: return TaskState::kTimedOut;
    case TaskErrorKind::kCancelled: return TaskState::kCancelled;
    default: return TaskState::kFailed;
  }
}

}  // namespace

std::optional<Instant> TimeoutAt(const DispatchGroup& group, const Now& started) {
  if (group.timeout_ms <= 0) return std::nullopt;
  return started.monotonic + Milliseconds(group.timeout_ms);
}

TaskError TimeoutError(const DispatchGroup& group) {
  return TaskError{TaskErrorKind::kTimedOut, "ended after " + FormatLimit(group.timeout_ms) + " (--timeout)", {}, {}};
}

TaskError ReturnedError(const std::string& problem) {
  if (!problem.empty()) {
    return TaskError{TaskErrorKind::kCancelled, "stopped, as its worker leaves; nothing was kept: " + problem, {}, {}};
  }
  return TaskError{
      TaskErrorKind::kCancelled, "stopped, as its worker leaves; what it kept goes on in the next attempt", {}, {}};
}

TaskError CancelledError() { return TaskError{TaskErrorKind::kCancelled, "cancelled", {}, {}}; }

ExecutionResult MakeResult(const Attempt& attempt, const AttemptEnd& end, const Now& now) {
  ExecutionResult result;
  result.execution = attempt.task.execution;
  result.token = attempt.task.token;
  result.outcome = OutcomeOf(end.error);
  if (end.error.kind != TaskErrorKind::kNone) result.error = end.error;
  result.run_s = end.run_s;
  result.finished_at_ms = now.wall_ms;
  result.incomplete = end.incomplete;
  result.cacheable = end.cacheable;
  if (!attempt.launched) return result;
  if (end.error.kind != TaskErrorKind::kNone && !end.output_tail.empty()) result.output_tail = end.output_tail;
  result.cpu_s = end.cpu_s;
  result.max_rss_bytes = end.max_rss_bytes;
  if (!end.kept.empty() || !end.keep_problem.empty()) result.kept = end.kept;
  if (end.blobs.empty()) return result;
  std::vector<ContentHash> hashes;
  std::uint64_t bytes = 0;
  for (const OutputBlob& blob : end.blobs) {
    hashes.push_back(blob.hash);
    bytes += blob.size;
  }
  result.blob_bytes = bytes;
  result.blobs = std::move(hashes);
  return result;
}

}  // namespace icarus::worker
