// The part of WorkerCore that ends: takes nothing more, lets run what runs until a deadline, gives back the rest, and
// goes when the broker has everything.
#include <vector>

#include "worker/core/worker_core.h"

namespace icarus::worker {

void WorkerCore::OnDrain(std::optional<Instant> limit, const Now& now) {
  if (exited_) return;
  if (leave_) {
    GoNow(now);
  } else {
    BeginLeave("asked to end", 0, limit.value_or(options_.drain), now);
  }
}

void WorkerCore::OnLauncherLost(const Now& now) {
  if (exited_) return;
  leave_ = Leave{"the launcher has ended", 70, now.monotonic, now.monotonic + options_.timing.leave_acks, true, {}};
  std::vector<AttemptId> all;
  for (const auto& [id, attempt] : attempts_.all()) all.push_back(id);
  for (const AttemptId id : all) {
    Attempt& attempt = *attempts_.Find(id);
    attempt.stop == StopReason::kDropped ? Drop(attempt) : GiveBack(attempt);
  }
}

void WorkerCore::BeginLeave(std::string reason, int code, Instant limit, const Now& now) {
  const Timing& timing = options_.timing;
  const Instant kill_at = now.monotonic + limit;
  leave_ = Leave{std::move(reason), code, kill_at, kill_at + timing.kill_grace + timing.leave_acks, false, {}};
  if (session_.is_up()) Emit(icarus::Drain{});
  GiveBackQueued();
  RearmAll();
}

void WorkerCore::TickLeave(const Now& now) {
  if (exited_) return;
  if (!leave_ && limit_at_ && now.monotonic >= *limit_at_) {
    BeginLeave("time limit reached", 0, options_.drain, now);
  }
  if (!leave_ && options_.idle_timeout && idle_since_ && held() == 0 &&
      now.monotonic >= *idle_since_ + *options_.idle_timeout) {
    BeginLeave("idle for too long", 0, options_.drain, now);
  }
  if (!leave_) return;
  if (!leave_->killed && now.monotonic >= leave_->kill_at) KillForLeave(now);
  if (now.monotonic >= leave_->force_at) GoNow(now);
}

void WorkerCore::KillForLeave(const Now& now) {
  leave_->killed = true;
  std::vector<AttemptId> all;
  for (const auto& [id, attempt] : attempts_.all()) all.push_back(id);
  for (const AttemptId id : all) {
    Attempt& attempt = *attempts_.Find(id);
    // What has ended may still deliver its files, until force_at.
    const bool ends = attempt.state == AttemptState::kStopping || attempt.state == AttemptState::kUploading;
    if (!ends) Stop(attempt, StopReason::kReturned, now);
  }
}

void WorkerCore::FinishLeave(const Now& now) {
  if (!leave_ || exited_ || !attempts_.empty()) return;
  if (!leave_->acks_until) leave_->acks_until = now.monotonic + options_.timing.leave_acks;
  if (spool_.empty() || now.monotonic >= *leave_->acks_until) GoNow(now);
}

// Whatever is still here is killed first, so that the broker never gets back what still runs.
void WorkerCore::GoNow(const Now& now) {
  if (exited_) return;
  if (!attempts_.empty()) effects_.push_back(KillAll{});
  std::vector<AttemptId> all;
  for (const auto& [id, attempt] : attempts_.all()) all.push_back(id);
  for (const AttemptId id : all) {
    Attempt& attempt = *attempts_.Find(id);
    attempt.stop == StopReason::kDropped ? Drop(attempt) : GiveBack(attempt);
  }
  if (session_.is_up()) {
    SendEvents(now);
    for (SendToBroker& batch : spool_.TakeBatches(now.monotonic)) effects_.push_back(std::move(batch));
    Emit(Goodbye{leave_->reason});
  }
  effects_.push_back(Exit{leave_->code, leave_->reason});
  exited_ = true;
}

}  // namespace icarus::worker
