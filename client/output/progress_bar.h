// ProgressBar: how far jobs are, as one line. Pure: time comes with each call, nothing is written.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/messages.h"

namespace icarus::client {

using Nanoseconds = std::chrono::nanoseconds;

// Tasks of all watched jobs together. Jobs that have ended stay in it.
struct ProgressCounts {
  std::uint64_t total = 0;
  std::uint64_t done = 0;    // in a final state
  std::uint64_t failed = 0;  // of them, failed or timed out
  std::uint64_t cancelled = 0;
  std::uint64_t running = 0;
  std::uint64_t cached = 0;
  double work = 0;  // done plus the running tasks' own progress, in tasks

  bool finished() const { return done >= total; }
  double fraction() const;  // 0…1, by work; 1 for no tasks
};
ProgressCounts CountProgress(const std::vector<JobSummary>& jobs);

// An amount a second, as an exponentially weighted mean over about 15 s that is unbiased from the first interval on.
class RateMeter {
 public:
  // The first observation is where counting starts. `amount` never falls; `now` is monotonic.
  void Observe(double amount, Nanoseconds now);
  // Empty until something has been counted over at least 0.2 s. It falls when nothing comes for longer than expected.
  std::optional<double> PerSecond(Nanoseconds now) const;

 private:
  std::optional<Nanoseconds> last_;
  double amount_ = 0;
  double weighted_ = 0;  // Σ amount·weight
  double seconds_ = 0;   // Σ seconds·weight
};

struct BarStyle {
  std::size_t width = 80;  // columns at most; REQUIRES > 0
  bool colour = false;
  bool unicode = true;  // false: the bar is of # and -
};

class ProgressBar {
 public:
  void Observe(const ProgressCounts& counts, Nanoseconds now);

  // "job 7  [██████░░░░]  38/60  63 %  2 running  1 failed  12 cached  3.1/s  ETA 7.1 s". What does not fit is left
  // out: first the cached, then the rate, the running, the cancelled, the bar, the label, the ETA.
  std::string Line(std::string_view label, const BarStyle& style, Nanoseconds now) const;
  // "job 7: 38 of 60 done (63 %), 2 running, 1 failed, 12 cached, 3.1/s, ETA 7.1 s": for a log, of any length.
  std::string LogLine(std::string_view label, Nanoseconds now) const;

  // Seconds to the end at the present rate; empty when it is not known or nothing is left.
  std::optional<double> EtaSeconds(Nanoseconds now) const;
  const ProgressCounts& counts() const { return counts_; }

 private:
  ProgressCounts counts_;
  RateMeter tasks_;     // all that reach their end: what is shown
  RateMeter computed_;  // work without hits of the cache, which come in a burst: what the ETA is made of
  Nanoseconds observed_{0};
};

// "3.1/s", "1240/s", "4.5/min" below one in two seconds.
std::string FormatRate(double per_second);

}  // namespace icarus::client
