// What happened in a run, as lines: all of them go into its hash, the last ones are kept to be shown.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "common/model/content_hash.h"
#include "tests/sim/scheduler.h"

namespace icarus::sim {

class Trace {
 public:
  void Add(Time now, const std::string& line) {
    hash_ = hash_ * 0x100000001b3ULL ^ Checksum(line) ^ static_cast<std::uint64_t>(now);
    Say(now, line);
  }
  // Shown, but no part of the hash.
  void Say(Time now, const std::string& line) {
    if (!keep_) return;
    char time[32];
    std::snprintf(time, sizeof time, "%12.6f ", static_cast<double>(now) / 1e9);
    lines_.push_back(time + line);
    if (lines_.size() > kMostLines) lines_.pop_front();
  }
  void Keep() { keep_ = true; }
  bool keeps() const { return keep_; }
  std::uint64_t hash() const { return hash_; }
  const std::deque<std::string>& lines() const { return lines_; }

 private:
  static constexpr std::size_t kMostLines = 200'000;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  bool keep_ = false;
  std::deque<std::string> lines_;
};

}  // namespace icarus::sim
