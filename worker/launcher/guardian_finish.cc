// The end of an attempt: what is told of it, and what is cleared away.
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "worker/launcher/guardian.h"
#include "worker/launcher/process_setup.h"
#include "worker/launcher/result_size.h"
#include "worker/launcher/scratch.h"

namespace icarus::worker {
namespace {

TaskError HostDied(const std::string& solver, int status) {
  const bool by_signal = WIFSIGNALED(status);
  TaskError error{TaskErrorKind::kSolverCrashed, "the process of the solver " + solver + " ended ", {}, {}};
  if (by_signal) {
    error.signal = WTERMSIG(status);
    error.message += "by signal " + SignalText(*error.signal);
  } else {
    error.exit_code = WEXITSTATUS(status);
    error.message += "with exit code " + std::to_string(*error.exit_code);
  }
  return error;
}

}  // namespace

void Guardian::FinishSolver(AttemptFinished& out) {
  if (attempt_->outcome) {
    HostOutcome& outcome = *attempt_->outcome;
    out.error = std::move(outcome.error);
    out.body = std::move(outcome.body);
    out.incomplete = outcome.incomplete;
    out.cacheable = outcome.cacheable;
    out.solver_changed = outcome.solver_changed;
    out.output_tail = std::move(outcome.output_tail);
    out.blobs = std::move(outcome.blobs);
    out.cpu_s = outcome.cpu_s;
    out.max_rss_bytes = outcome.max_rss_bytes;
    if (host_) host_->charged_cpu_s += outcome.cpu_s;
  } else if (attempt_->end.status) {
    out.error = HostDied(attempt_->spec.solver, *attempt_->end.status);
    // The kernel accounts for the host's whole life, earlier attempts included.
    out.cpu_s = std::max(0.0, family_.usage().cpu_s - attempt_->charged_before_s);
    out.max_rss_bytes = family_.usage().max_rss_bytes;
    Outbox::RemoveTemporaries(attempt_->spec.outbox_dir, attempt_->spec.id);
  }
  if (attempt_->end.killed) {
    out.error.kind = TaskErrorKind::kCancelled;
    out.error.message = "stopped on request";
  } else if (!attempt_->end.over_memory.empty()) {
    out.error.kind = TaskErrorKind::kResourceExceeded;
    out.error.message = attempt_->end.over_memory;
  }
}

void Guardian::FinishCommand(AttemptFinished& out) {
  attempt_->command->Finish(attempt_->end, out);
  out.cpu_s = family_.usage().cpu_s;
  out.max_rss_bytes = family_.usage().max_rss_bytes;
  SendLiveOutput(true);
}

AttemptFinished Guardian::Describe() {
  AttemptFinished out;
  if (attempt_->start_error.kind != TaskErrorKind::kNone) {
    out.error = std::move(attempt_->start_error);
  } else if (kind_ == AttemptKind::kCommand) {
    FinishCommand(out);
  } else {
    FinishSolver(out);
  }
  out.id = attempt_->spec.id;
  out.killed = attempt_->end.killed;
  out.max_rss_bytes = std::max(out.max_rss_bytes, attempt_->sampled_peak);
  const Instant ended = attempt_->ended.value_or(MonotonicNow());
  out.run_s = std::chrono::duration<double>(ended - attempt_->started).count();
  RefuseLargeBody(out.error, out.body, out.blobs);
  if (out.blobs.empty()) out.kept.clear();
  return out;
}

void Guardian::Conclude() {
  phase_ = Phase::kIdle;
  phase_deadline_ = kNever;
  leaving_ = orphaned_;
  if (!attempt_) return;
  if (orphaned_) {
    if (attempt_->outcome) RemoveFiles(attempt_->outcome->blobs);
    if (kind_ == AttemptKind::kSolver) Outbox::RemoveTemporaries(attempt_->spec.outbox_dir, attempt_->spec.id);
    if (attempt_->has_scratch) RemoveScratch(attempt_->spec.scratch_dir);
    attempt_.reset();
    return;
  }
  if (attempt_->values) attempt_->values->Finish();
  attempt_->values.reset();
  const AttemptFinished finished = Describe();
  if (attempt_->has_scratch) RemoveScratch(attempt_->spec.scratch_dir);
  attempt_.reset();
  launcher_.Send(FrameType::kFinished, finished.id, EncodeFinished(finished));
}

}  // namespace icarus::worker
