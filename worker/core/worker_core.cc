#include "worker/core/worker_core.h"

#include <algorithm>

#include "common/base/check.h"

namespace icarus::worker {
namespace {

// Entries of one TaskEvents: far below limits::kMaxElements, small enough to be decoded within a turn.
constexpr std::size_t kBatchEvents = 4096;

void KeepEarlier(std::optional<Instant>& first, std::optional<Instant> other) {
  if (other && (!first || *other < *first)) first = other;
}

}  // namespace

WorkerCore::WorkerCore(CoreOptions options)
    : options_(std::move(options)),
      session_(options_.timing, options_.seed),
      attempts_(options_.hello.worker ? options_.hello.worker->slots : 0) {
  ICARUS_CHECK(options_.hello.worker && options_.hello.worker->slots > 0 && options_.noop_body);
}

void WorkerCore::Start(const Now& now) {
  if (options_.time_limit) limit_at_ = now.monotonic + *options_.time_limit;
  Do(session_.Start(now.monotonic), now);
}

void WorkerCore::Do(const std::vector<BrokerSession::Step>& steps, const Now& now) {
  for (const BrokerSession::Step step : steps) {
    switch (step) {
      case BrokerSession::Step::kConnect: effects_.push_back(Connect{}); break;
      case BrokerSession::Step::kHello: Emit(MakeHello(now)); break;
      case BrokerSession::Step::kHeartbeat: effects_.push_back(SendHeartbeat{}); break;
      case BrokerSession::Step::kCheckAccess: effects_.push_back(CheckAccess{}); break;
    }
  }
}

Hello WorkerCore::MakeHello(const Now& now) const {
  Hello hello = options_.hello;
  std::vector<HeldExecution>& held = hello.worker->held;
  held = spool_.Held();
  for (const auto& [id, attempt] : attempts_.all()) {
    if (attempt.stop == StopReason::kDropped) continue;
    held.push_back(attempt.Held());
    if (held.back().started)
      held.back().run_s = std::chrono::duration<double>(now.monotonic - attempt.started_at).count();
  }
  return hello;
}

void WorkerCore::OnConnected(const Now& now) {
  started_.clear();  // the greeting says what has started
  Do(session_.OnConnected(now.monotonic), now);
}

void WorkerCore::OnConnectFailed(const Now& now) { session_.OnConnectFailed(now.monotonic); }

void WorkerCore::OnDisconnected(const Now& now) { session_.OnDisconnected(now.monotonic); }

void WorkerCore::OnWelcome(const Welcome& welcome, const Now& now) {
  session_.OnWelcome(now.monotonic);
  welcomed_once_ = true;
  broker_drains_ = false;
  options_.hello.lineage = welcome.lineage;
  options_.hello.seen_epoch = welcome.epoch;
  options_.hello.seen_sequence = welcome.sequence;
  for (const ExecutionId execution : welcome.unknown) {
    ForgetResult(execution);
    if (Attempt* attempt = attempts_.FindExecution(execution)) Stop(*attempt, StopReason::kDropped, now);
  }
  spool_.SendAllAgain();
  for (auto& [id, attempt] : attempts_.all()) attempt.saved.clear();  // the broker may not have got as far as that
  if (leave_) Emit(icarus::Drain{});
  StartWaiting(now);
}

void WorkerCore::OnHelloRefused(const ErrorReply& reply, const Now& now) {
  session_.OnRefused(now.monotonic);
  const bool for_good =
      reply.code == ErrorCode::kProtocol || reply.code == ErrorCode::kRefused || reply.code == ErrorCode::kUsage;
  if (!for_good || welcomed_once_ || exited_) return;
  exited_ = true;
  effects_.push_back(
      Exit{reply.code == ErrorCode::kRefused ? 4 : 70, "the broker refused this worker: " + reply.message});
}

void WorkerCore::OnHeartbeatReply(const HeartbeatReply& reply, const Now& now) {
  if (!reply.known) {
    started_.clear();
    Do(session_.OnForgotten(now.monotonic), now);
    return;
  }
  options_.hello.seen_sequence = std::max(options_.hello.seen_sequence, reply.sequence);
  broker_drains_ = reply.drain;
  if (broker_drains_) GiveBackQueued();
}

// What it was to compute with one build of a solver is another one's now: nothing of that is under the old one's name.
void WorkerCore::OnSolvers(std::map<std::string, std::string> usable, std::map<std::string, std::string> unusable,
                           const Now& now) {
  probing_ = false;
  options_.hello.worker->solvers = std::move(usable);
  options_.hello.worker->unusable_solvers = std::move(unusable);
  GiveBackQueued();
  started_.clear();
  Do(session_.OnForgotten(now.monotonic), now);
  StartWaiting(now);
}

void WorkerCore::OnDispatch(Dispatch dispatch, const Now& now) {
  for (DispatchGroup& group : dispatch.groups) {
    std::vector<DispatchTask> tasks = std::move(group.tasks);
    group.tasks.clear();
    const auto shared = std::make_shared<const DispatchGroup>(std::move(group));
    for (DispatchTask& task : tasks) Accept(shared, std::move(task), now);
  }
  StartWaiting(now);
}

void WorkerCore::OnStopExecutions(const StopExecutions& stop, const Now& now) {
  for (const ExecutionId execution : stop.executions) {
    Attempt* attempt = attempts_.FindExecution(execution);
    if (attempt == nullptr || (stop.recall && attempt->state != AttemptState::kQueued)) continue;
    Stop(*attempt, StopReason::kCancelled, now);
  }
  StartWaiting(now);
}

void WorkerCore::OnResultsAck(const ResultsAck& ack) {
  options_.hello.seen_sequence = std::max(options_.hello.seen_sequence, ack.sequence);
  for (const ExecutionId execution : ack.executions) ForgetResult(execution);
}

void WorkerCore::OnTick(const Now& now) {
  Do(session_.OnTick(now.monotonic), now);
  while (Attempt* attempt = attempts_.Due(now.monotonic)) OnAlarm(*attempt, now);
  if (session_.is_up()) spool_.SendOverdueAgain(now.monotonic - options_.timing.resend);
  TickLeave(now);
  StartWaiting(now);
}

std::vector<Effect> WorkerCore::TakeEffects(const Now& now) {
  if (session_.is_up() && !exited_) {
    SendEvents(now);
    for (SendToBroker& batch : spool_.TakeBatches(now.monotonic)) effects_.push_back(std::move(batch));
  }
  NoteIdle(now);
  FinishLeave(now);
  return std::exchange(effects_, {});
}

void WorkerCore::SendEvents(const Now& now) {
  TaskEvents events;
  for (const AttemptId id : started_) {
    // What has already ended is told by its result alone.
    const Attempt* attempt = attempts_.Find(id);
    if (attempt != nullptr && attempt->stop != StopReason::kDropped) events.started.push_back(attempt->task.execution);
    if (events.started.size() == kBatchEvents) Emit(std::exchange(events, {}));
  }
  started_.clear();
  for (const HeldExecution& held : returned_) {
    events.returned.push_back(held);
    if (events.returned.size() == kBatchEvents) Emit(std::exchange(events, {}));
  }
  returned_.clear();
  CollectProgress(events, now);
  if (!saved_.empty()) events.saved = std::exchange(saved_, {});
  const bool any = !events.started.empty() || !events.progress.empty() || !events.returned.empty() || events.saved;
  if (any) Emit(std::move(events));
}

void WorkerCore::CollectProgress(TaskEvents& events, const Now& now) {
  for (auto next = with_progress_.begin(); next != with_progress_.end();) {
    Attempt& attempt = *attempts_.Find(*next);
    if (attempt.progress_sent_at && now.monotonic < *attempt.progress_sent_at + options_.timing.progress) {
      ++next;
      continue;
    }
    events.progress.push_back(std::move(*attempt.progress));
    attempt.progress.reset();
    attempt.progress_sent_at = now.monotonic;
    next = with_progress_.erase(next);
  }
}

void WorkerCore::NoteIdle(const Now& now) {
  if (held() > 0) {
    idle_since_.reset();
  } else if (!idle_since_) {
    idle_since_ = now.monotonic;
  }
}

std::optional<Instant> WorkerCore::NextDeadline() {
  std::optional<Instant> first = session_.NextDeadline();
  KeepEarlier(first, attempts_.FirstAlarm());
  if (session_.is_up()) {
    if (const auto sent = spool_.OldestSent()) KeepEarlier(first, *sent + options_.timing.resend);
    for (const AttemptId id : with_progress_) {
      const Attempt& attempt = *attempts_.Find(id);
      KeepEarlier(first, attempt.progress_sent_at.value_or(Instant(0)) + options_.timing.progress);
    }
  }
  if (leave_) {
    KeepEarlier(first, leave_->killed ? leave_->force_at : leave_->kill_at);
    KeepEarlier(first, leave_->acks_until);
  } else {
    KeepEarlier(first, limit_at_);
    if (options_.idle_timeout && idle_since_) KeepEarlier(first, *idle_since_ + *options_.idle_timeout);
  }
  return first;
}

std::string WorkerCore::Broken() const {
  for (const AttemptId id : with_progress_) {
    const auto found = attempts_.all().find(id);
    if (found == attempts_.all().end() || !found->second.progress) return "progress of an attempt that has none";
  }
  for (const auto& [id, attempt] : attempts_.all()) {
    if (!attempt.superseded && spool_.Find(attempt.task.execution) != nullptr) return "an execution is held twice";
  }
  for (const auto& [save, id] : saves_) {
    const auto found = attempts_.all().find(id);
    if (found == attempts_.all().end() || !found->second.save || found->second.save->id != save) {
      return "a save of an attempt that is not there";
    }
  }
  return attempts_.Broken();
}

}  // namespace icarus::worker
