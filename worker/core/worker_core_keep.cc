// The part of WorkerCore about attempts that go on elsewhere: the notice before a stop, and files saved meanwhile.
#include <algorithm>
#include <utility>

#include "worker/core/worker_core.h"

namespace icarus::worker {

// When the attempt is going to be stopped, as far as is known.
std::optional<Instant> WorkerCore::StopAt(const Attempt& attempt) const {
  std::optional<Instant> at = attempt.timeout_at;
  std::optional<Instant> leave;
  if (leave_) {
    leave = leave_->kill_at;
  } else if (limit_at_) {
    leave = *limit_at_ + options_.drain;
  }
  return !at || (leave && *leave < *at) ? leave : at;
}

std::optional<Instant> WorkerCore::NoticeAt(const Attempt& attempt) const {
  const KeepSpec* keep = attempt.keep();
  const std::optional<Instant> stop = StopAt(attempt);
  if (keep == nullptr || keep->stop_signal == 0 || attempt.noticed || !stop) return std::nullopt;
  return *stop - Milliseconds(keep->notice_ms);
}

// Its notice would be due before it has begun: there is no time for it here any more.
bool WorkerCore::ComesTooLate(const DispatchGroup& group, const Now& now) const {
  if (!limit_at_ || !group.command || !group.command->keep || group.command->keep->stop_signal == 0) return false;
  return now.monotonic >= *limit_at_ + options_.drain - Milliseconds(group.command->keep->notice_ms);
}

void WorkerCore::Rearm(Attempt& attempt) {
  std::optional<Instant> next = attempt.timeout_at;
  for (const std::optional<Instant> other : {attempt.save_at, NoticeAt(attempt)}) {
    if (other && (!next || *other < *next)) next = other;
  }
  attempts_.SetAlarm(attempt, next);
}

// The time of leaving has changed.
void WorkerCore::RearmAll() {
  for (auto& [id, attempt] : attempts_.all()) {
    if (attempt.state == AttemptState::kRunning) Rearm(attempt);
  }
}

void WorkerCore::OnRunningAlarm(Attempt& attempt, const Now& now) {
  if (attempt.timeout_at && now.monotonic >= *attempt.timeout_at) return StopProcess(attempt, StopReason::kTimeout);
  if (const auto notice = NoticeAt(attempt); notice && now.monotonic >= *notice) {
    const bool leaves = StopAt(attempt) != attempt.timeout_at;
    attempt.noticed = true;
    effects_.push_back(SignalAttempt{attempt.id, attempt.keep()->stop_signal});
    // Whoever is sent away now must not be sent here again.
    if (leaves && !leave_) BeginLeave("time limit reached", 0, *limit_at_ + options_.drain - now.monotonic, now);
  }
  if (attempt.save_at && now.monotonic >= *attempt.save_at) {
    // One that is slower than its period is not overtaken.
    attempt.save_at = now.monotonic + Milliseconds(attempt.keep()->every_ms);
    if (!attempt.save) BeginSave(attempt);
  }
  Rearm(attempt);
}

void WorkerCore::BeginSave(Attempt& attempt) {
  attempt.save = Save{attempts_.NewId(), {}, 0};
  saves_.emplace(attempt.save->id, attempt.id);
  effects_.push_back(SaveAttempt{attempt.id, attempt.save->id});
}

void WorkerCore::OnAttemptSaved(AttemptId save, std::vector<FileRef> files, const std::vector<OutputBlob>& blobs) {
  const auto found = saves_.find(save);
  if (found == saves_.end()) return;
  Attempt& attempt = *attempts_.Find(found->second);
  if (files.empty() || files == attempt.saved) return FinishSave(attempt, false);
  attempt.save->files = std::move(files);
  attempt.save->transfers = blobs.size();
  for (const OutputBlob& blob : blobs) effects_.push_back(UploadBlob{save, blob.hash, blob.size, blob.path});
  if (blobs.empty()) FinishSave(attempt, true);
}

// True when the transfer was one of a save.
bool WorkerCore::OnSaveUploaded(AttemptId save, const std::optional<Error>& error) {
  const auto found = saves_.find(save);
  if (found == saves_.end()) return false;
  Attempt& attempt = *attempts_.Find(found->second);
  if (error) {
    FinishSave(attempt, false);  // the next one may get there
  } else if (--attempt.save->transfers == 0) {
    FinishSave(attempt, true);
  }
  return true;
}

void WorkerCore::FinishSave(Attempt& attempt, bool stored) {
  if (stored) {
    attempt.saved = attempt.save->files;
    saved_.push_back(SavedFiles{attempt.task.execution, attempt.task.token, attempt.saved});
  }
  DropSave(attempt);
}

void WorkerCore::DropSave(Attempt& attempt) {
  if (!attempt.save) return;
  effects_.push_back(ForgetAttempt{attempt.save->id});
  saves_.erase(attempt.save->id);
  attempt.save.reset();
}

}  // namespace icarus::worker
