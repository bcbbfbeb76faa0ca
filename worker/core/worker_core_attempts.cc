// The part of WorkerCore that takes an attempt from its dispatch to its end.
#include <algorithm>
#include <set>

#include "common/base/check.h"
#include "common/model/limits.h"
#include "worker/core/outcome.h"
#include "worker/core/worker_core.h"

namespace icarus::worker {
namespace {

bool IsNoop(const DispatchGroup& group) { return group.analysis == kNoopName; }

}  // namespace

// True when the task is here already or has been replaced; what is older than it makes room.
bool WorkerCore::IsKnown(const DispatchTask& task) {
  if (const ResultSpool::Kept* kept = spool_.Find(task.execution)) return kept->result.token >= task.token;
  const Attempt* attempt = attempts_.FindExecution(task.execution);
  return attempt != nullptr && attempt->task.token >= task.token;
}

void WorkerCore::Accept(const std::shared_ptr<const DispatchGroup>& group, DispatchTask task, const Now& now) {
  if (IsKnown(task)) return;
  ForgetResult(task.execution);
  if (Attempt* older = attempts_.FindExecution(task.execution)) Stop(*older, StopReason::kDropped, now);
  if (TakesWork() && ComesTooLate(*group, now)) {
    BeginLeave("time limit reached", 0, *limit_at_ + options_.drain - now.monotonic, now);
  }
  if (!TakesWork()) {
    returned_.push_back(HeldExecution{task.execution, task.token, false});
    return;
  }
  Attempt& attempt = attempts_.Add(group, std::move(task));
  if (attempt.slots < 1 || attempt.slots > attempts_.slots()) {
    Fail(attempt, TaskErrorKind::kResourceExceeded,
         "asks for " + std::to_string(attempt.slots) + " CPUs; worker " + options_.hello.worker->name + " has " +
             std::to_string(attempts_.slots()),
         now);
  }
}

void WorkerCore::StartWaiting(const Now& now) {
  while (Attempt* next = attempts_.NextToStart()) Begin(*next, now);
}

void WorkerCore::Begin(Attempt& attempt, const Now& now) {
  attempts_.TakeSlots(attempt);
  attempt.started_at = now.monotonic;
  started_.push_back(attempt.id);
  if (IsNoop(*attempt.group)) {
    BeginNoop(attempt, now);
    return;
  }
  attempt.transfers = RequestInputs(attempt);
  if (attempt.transfers == 0) {
    Launch(attempt, now);
  } else {
    attempt.state = AttemptState::kFetching;
  }
}

// How many files the attempt has to wait for; a file that others wait for already is asked for once.
std::size_t WorkerCore::RequestInputs(const Attempt& attempt) {
  if (!attempt.group->command) return 0;
  std::set<ContentHash> seen;
  const auto request = [&](const FileRef& input) {
    if (input.content || !seen.insert(input.hash).second) return;
    std::vector<AttemptId>& waiting = fetches_[input.hash];
    if (waiting.empty()) effects_.push_back(FetchBlob{input.hash, input.size});
    waiting.push_back(attempt.id);
  };
  for (const FileRef& input : attempt.group->command->inputs) request(input);
  if (attempt.task.kept) {
    for (const FileRef& file : *attempt.task.kept) request(file);
  }
  return seen.size();
}

// One of the files that an earlier attempt left, and no input.
bool WorkerCore::IsOnlyKept(const Attempt& attempt, const ContentHash& hash) {
  const std::vector<FileRef>& inputs = attempt.group->command->inputs;
  return std::none_of(inputs.begin(), inputs.end(), [&](const FileRef& input) { return input.hash == hash; });
}

void WorkerCore::OnBlobFetched(const ContentHash& hash, const std::optional<Error>& error, const Now& now) {
  auto waiting = fetches_.extract(hash);
  if (waiting.empty()) return;
  for (const AttemptId id : waiting.mapped()) {
    Attempt* attempt = attempts_.Find(id);
    if (attempt == nullptr || attempt->state != AttemptState::kFetching) continue;
    if (error && IsOnlyKept(*attempt, hash)) {
      // What an earlier attempt left is of use, but no condition.
      attempt->task.kept.reset();
      attempt->progress = ExecutionProgress{attempt->task.execution, 0,
                                            "begins anew: what was kept could not be fetched: " + error->message};
      with_progress_.insert(id);
      if (--attempt->transfers == 0) Launch(*attempt, now);
    } else if (error) {
      Fail(*attempt, TaskErrorKind::kInternal, "an input could not be fetched: " + error->message, now);
    } else if (--attempt->transfers == 0) {
      Launch(*attempt, now);
    }
  }
  StartWaiting(now);
}

void WorkerCore::Launch(Attempt& attempt, const Now& now) {
  attempt.state = AttemptState::kRunning;
  attempt.launched = true;
  attempt.timeout_at = TimeoutAt(*attempt.group, now);
  if (const KeepSpec* keep = attempt.keep(); keep != nullptr && keep->every_ms > 0) {
    attempt.save_at = now.monotonic + Milliseconds(keep->every_ms);
  }
  Rearm(attempt);
  effects_.push_back(StartAttempt{attempt.id, attempt.group, attempt.task});
}

void WorkerCore::OnAlarm(Attempt& attempt, const Now& now) {
  if (attempt.state == AttemptState::kRunning) return OnRunningAlarm(attempt, now);
  ICARUS_CHECK(attempt.state == AttemptState::kSleeping);
  const Instant sleep = ReadNoopPlan(attempt.task.params)->sleep;
  EndSleep(attempt, now.monotonic < attempt.started_at + sleep, now);
}

void WorkerCore::OnAttemptProgress(AttemptId id, double fraction, std::string message) {
  Attempt* attempt = attempts_.Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kRunning) return;
  attempt->progress = ExecutionProgress{attempt->task.execution, fraction, std::move(message)};
  with_progress_.insert(id);
}

void WorkerCore::Stop(Attempt& attempt, StopReason reason, const Now& now) {
  switch (attempt.state) {
    case AttemptState::kQueued: reason == StopReason::kDropped ? Drop(attempt) : GiveBack(attempt); return;
    case AttemptState::kFetching:
    case AttemptState::kSleeping: EndUnstarted(attempt, reason, now); return;
    case AttemptState::kRunning: StopProcess(attempt, reason); return;
    case AttemptState::kStopping:
      if (reason == StopReason::kDropped || attempt.stop == StopReason::kReturned) attempt.stop = reason;
      return;
    case AttemptState::kUploading:  // has ended: only its result can still be unwanted
      if (reason == StopReason::kDropped) Drop(attempt);
      if (reason == StopReason::kReturned) GiveBack(attempt);
      return;
  }
}

void WorkerCore::StopProcess(Attempt& attempt, StopReason reason) {
  attempt.state = AttemptState::kStopping;
  attempt.stop = reason;
  attempts_.SetAlarm(attempt, std::nullopt);
  with_progress_.erase(attempt.id);
  attempt.progress.reset();
  effects_.push_back(KillAttempt{attempt.id});
}

// Has slots, but no process.
void WorkerCore::EndUnstarted(Attempt& attempt, StopReason reason, const Now& now) {
  if (reason == StopReason::kDropped) {
    Drop(attempt);
  } else if (reason == StopReason::kReturned) {
    GiveBack(attempt);
  } else {
    AttemptEnd end;
    end.error = CancelledError();
    end.run_s = static_cast<double>((now.monotonic - attempt.started_at).count()) * 1e-9;
    KeepResult(attempt, std::move(end), now);
  }
}

void WorkerCore::OnAttemptFinished(AttemptId id, AttemptEnd end, const Now& now) {
  Attempt* attempt = attempts_.Find(id);
  if (attempt == nullptr || attempt->state == AttemptState::kUploading) return;
  attempts_.SetAlarm(*attempt, std::nullopt);
  with_progress_.erase(id);
  DropSave(*attempt);
  // What ended by itself before the kill reached it ended as it says.
  if (attempt->stop == StopReason::kDropped) {
    Drop(*attempt);
  } else if (end.solver_changed && attempt->stop == StopReason::kNone) {
    GiveBack(*attempt);
    if (!std::exchange(probing_, true)) effects_.push_back(LookForSolvers{});
  } else if (end.killed || (attempt->noticed && end.error.kind != TaskErrorKind::kNone)) {
    EndStopped(*attempt, std::move(end), now);
  } else {
    Conclude(*attempt, std::move(end), now);
  }
  StartWaiting(now);
}

// It was killed, or heard that it was going to be and did not get to its end.
void WorkerCore::EndStopped(Attempt& attempt, AttemptEnd end, const Now& now) {
  StopReason reason = attempt.stop;
  if (reason == StopReason::kNone) {
    const bool by_timeout = attempt.timeout_at && StopAt(attempt) == attempt.timeout_at;
    reason = attempt.stop = by_timeout ? StopReason::kTimeout : StopReason::kReturned;
  }
  if (reason == StopReason::kReturned && end.kept.empty() && end.keep_problem.empty()) return GiveBack(attempt);
  if (reason == StopReason::kTimeout) end.error = TimeoutError(*attempt.group);
  if (reason == StopReason::kCancelled) end.error = CancelledError();
  if (reason == StopReason::kReturned) {
    end.error = ReturnedError(end.keep_problem);
    end.body.reset();
    std::erase_if(end.blobs, [&](const OutputBlob& blob) {
      return std::none_of(end.kept.begin(), end.kept.end(), [&](const FileRef& one) { return one.hash == blob.hash; });
    });
  }
  Conclude(attempt, std::move(end), now);
}

// The process is gone: output files go to the broker first, then the result.
void WorkerCore::Conclude(Attempt& attempt, AttemptEnd end, const Now& now) {
  if (end.body != nullptr && end.body->size() > limits::kMaxResultBytes) {
    end.error = TaskError{TaskErrorKind::kResourceExceeded,
                          "the result has " + std::to_string(end.body->size()) + " bytes, the limit is " +
                              std::to_string(limits::kMaxResultBytes),
                          {},
                          {}};
    end.body.reset();
    end.blobs.clear();
    end.kept.clear();
  }
  if (end.blobs.empty()) {
    KeepResult(attempt, std::move(end), now);
    return;
  }
  attempts_.ReleaseSlots(attempt);
  attempt.state = AttemptState::kUploading;
  attempt.transfers = end.blobs.size();
  for (const OutputBlob& blob : end.blobs) {
    effects_.push_back(UploadBlob{attempt.id, blob.hash, blob.size, blob.path});
  }
  attempt.end = std::move(end);
}

void WorkerCore::OnBlobUploaded(AttemptId id, const std::optional<Error>& error, const Now& now) {
  if (OnSaveUploaded(id, error)) return;
  Attempt* attempt = attempts_.Find(id);
  if (attempt == nullptr || attempt->state != AttemptState::kUploading) return;
  if (error && attempt->stop == StopReason::kReturned) {
    GiveBack(*attempt);  // without what it had saved
  } else if (error) {
    AttemptEnd end = std::move(*attempt->end);
    end.error = TaskError{TaskErrorKind::kInternal, "an output could not be stored: " + error->message, {}, {}};
    end.body.reset();
    end.blobs.clear();
    end.kept.clear();
    KeepResult(*attempt, std::move(end), now);
  } else if (--attempt->transfers == 0) {
    KeepResult(*attempt, std::move(*attempt->end), now);
  }
}

void WorkerCore::Fail(Attempt& attempt, TaskErrorKind kind, std::string message, const Now& now) {
  AttemptEnd end;
  end.error = TaskError{kind, std::move(message), {}, {}};
  KeepResult(attempt, std::move(end), now);
}

void WorkerCore::KeepResult(Attempt& attempt, AttemptEnd end, const Now& now) {
  ICARUS_CHECK(!attempt.superseded);
  with_progress_.erase(attempt.id);
  DropSave(attempt);
  ExecutionResult result = MakeResult(attempt, end, now);
  const AttemptId id = attempt.id;
  const bool launched = attempt.launched;
  attempts_.Remove(id);
  spool_.Keep(std::move(result), std::move(end.body), id, launched);
}

void WorkerCore::GiveBack(Attempt& attempt) {
  returned_.push_back(attempt.Held());
  Drop(attempt);
}

void WorkerCore::Drop(Attempt& attempt) {
  with_progress_.erase(attempt.id);
  DropSave(attempt);
  if (attempt.launched) effects_.push_back(ForgetAttempt{attempt.id});
  attempts_.Remove(attempt.id);
}

void WorkerCore::ForgetResult(ExecutionId execution) {
  const auto kept = spool_.Forget(execution);
  if (kept && kept->launched) effects_.push_back(ForgetAttempt{kept->attempt});
}

void WorkerCore::GiveBackQueued() {
  std::vector<AttemptId> queued;
  for (const auto& [id, attempt] : attempts_.all()) {
    if (attempt.state == AttemptState::kQueued) queued.push_back(id);
  }
  for (const AttemptId id : queued) GiveBack(*attempts_.Find(id));
}

}  // namespace icarus::worker
