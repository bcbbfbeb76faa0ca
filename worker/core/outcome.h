// How an attempt's end is told to the broker.
#pragma once

#include <optional>

#include "worker/core/attempt.h"

namespace icarus::worker {

// When a started attempt of this group is over; nothing: it may take its time.
std::optional<Instant> TimeoutAt(const DispatchGroup& group, const Now& started);
TaskError TimeoutError(const DispatchGroup& group);
TaskError CancelledError();
// Of one that goes on elsewhere; `problem`: why with nothing.
TaskError ReturnedError(const std::string& problem);

// Without the index of its body.
ExecutionResult MakeResult(const Attempt& attempt, const AttemptEnd& end, const Now& now);

}  // namespace icarus::worker
