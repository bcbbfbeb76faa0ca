// The periods of a worker, together. Instants are readings of Now::monotonic.
#pragma once

#include "common/base/clock.h"

namespace icarus::worker {

using Instant = decltype(Now::monotonic);

struct Timing {
  Instant heartbeat = Milliseconds(1'000);    // telemetry to the broker
  Instant silence = Milliseconds(10'000);     // nothing heard for so long: connect anew
  Instant doubt = Milliseconds(2'000);        // nothing heard for so long: look whether the broker has moved
  Instant greeting = Milliseconds(5'000);     // for Welcome after Hello
  Instant first_backoff = Milliseconds(200);  // doubled at each failure, with jitter
  Instant last_backoff = Milliseconds(5'000);
  Instant resend = Milliseconds(5'000);      // an unacknowledged result is sent again
  Instant progress = Milliseconds(200);      // between two reports of one execution
  Instant kill_grace = Milliseconds(3'000);  // SIGTERM to SIGKILL
  Instant leave_acks = Milliseconds(5'000);  // for the last acknowledgements before leaving
};

}  // namespace icarus::worker
