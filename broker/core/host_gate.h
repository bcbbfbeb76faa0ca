// HostGate: whether a worker's machine gets more work through it, by what it says of the machine. One a worker: those
// of one machine see the same memory, but may have their scratch directories, or their containers' limits, apart.
//
// Memory and disk hold completely: work that is added to a machine which is short of either takes what runs there down
// with it. Closes at a limit and opens well below it, and keeps each mind for a while, so that it does not flutter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/telemetry.h"

namespace icarus::broker {

// All percentages are of the whole machine, in use.
struct HostLimits {
  bool enabled = true;
  double memory_percent = 85;
  double disk_percent = 95;
  double resume_below_percent = 10;  // so far below a limit it opens
  std::int64_t dwell_ms = 10'000;
};

class HostGate {
 public:
  // True when it has changed its mind. `now_ms`: monotonic.
  bool OnSample(const Telemetry& sample, const HostLimits& limits, std::int64_t now_ms);
  // Why nothing more goes there, with numbers; empty: it is open.
  const std::string& held_reason() const { return held_reason_; }

 private:
  std::string held_reason_;
  std::optional<std::int64_t> changed_ms_;
};

}  // namespace icarus::broker
