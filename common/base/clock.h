// Time as the cores see it. Only clock.cc reads the machine's clocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace icarus {

using Milliseconds = std::chrono::milliseconds;

// One reading of both clocks. `monotonic` decides (leases, timeouts, backoff; it stands still while the machine
// sleeps); `wall` is for display, expiry of cached values and filters by date.
struct Now {
  std::chrono::nanoseconds monotonic{0};  // CLOCK_MONOTONIC
  std::int64_t wall_ms = 0;               // milliseconds since 1970-01-01T00:00:00Z

  std::int64_t monotonic_ms() const { return std::chrono::duration_cast<Milliseconds>(monotonic).count(); }
};

Now ReadClocks();

// "2026-11-23T12:32:05.123Z"
std::string FormatUtc(std::int64_t wall_ms);
// Accepts what FormatUtc prints, with or without the fraction, and a bare date. -1 if it is neither.
std::int64_t ParseUtc(const std::string& text);

}  // namespace icarus
