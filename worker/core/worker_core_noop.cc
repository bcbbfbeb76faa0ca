// The part of WorkerCore that runs the built-in noop: it needs no process, only time.
#include <algorithm>

#include "worker/core/outcome.h"
#include "worker/core/worker_core.h"

namespace icarus::worker {

void WorkerCore::BeginNoop(Attempt& attempt, const Now& now) {
  const Result<NoopPlan> plan = ReadNoopPlan(attempt.task.params);
  attempt.state = AttemptState::kSleeping;
  if (!plan) {
    Fail(attempt, TaskErrorKind::kInvalidInput, plan.error().message, now);
    return;
  }
  if (plan->sleep == Instant(0)) {
    EndSleep(attempt, false, now);
    return;
  }
  const std::optional<Instant> timeout = TimeoutAt(*attempt.group, now);
  const Instant wake = now.monotonic + plan->sleep;
  attempts_.SetAlarm(attempt, timeout ? std::min(*timeout, wake) : wake);
}

void WorkerCore::EndSleep(Attempt& attempt, bool timed_out, const Now& now) {
  AttemptEnd end;
  end.run_s = static_cast<double>((now.monotonic - attempt.started_at).count()) * 1e-9;
  if (timed_out) {
    end.error = TimeoutError(*attempt.group);
  } else {
    const NoopPlan plan = *ReadNoopPlan(attempt.task.params);
    if (plan.bytes > 0) end.body = options_.noop_body(plan.bytes);
  }
  KeepResult(attempt, std::move(end), now);
}

}  // namespace icarus::worker
