// EventLog: gathers what happened into one record a batch, and forgets the oldest records when there is more than the
// limit. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "broker/core/records.h"
#include "common/model/event.h"

namespace icarus::broker {

class EventLog {
 public:
  static constexpr std::uint64_t kDefaultLimitBytes = 64ull << 20;

  // A record that the store has, in rising order: `first` … `next` − 1.
  void Load(std::uint64_t first, std::uint64_t next, std::uint64_t bytes);
  void SetLimit(std::uint64_t bytes) { limit_bytes_ = bytes; }

  // Numbers it. What is said of one task after the other of a job is kept as one.
  void Add(Event event);
  bool empty() const { return open_.empty(); }
  // Into the batch: what was added since the last one, and what it pushes out. `clock_ms`: broker time.
  void Seal(std::vector<Record>& records);

  // Events alone wait a little for something that has to be written anyway.
  bool Ripe(std::int64_t clock_ms);
  std::optional<std::int64_t> DueMs() const { return due_ms_; }

 private:
  struct Stored {
    std::uint64_t first = 0;
    std::uint64_t bytes = 0;
  };

  std::vector<Event> open_;
  std::deque<Stored> stored_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t limit_bytes_ = kDefaultLimitBytes;
  std::uint64_t next_ = 1;
  std::optional<std::int64_t> due_ms_;
};

}  // namespace icarus::broker
