// BatchGate: which effects may be carried out when. What is to be written is gathered into the open batch; a message
// that promises something, and a read that must see it, wait until every batch that was decided before is durable.
// Pure.
//
// One batch is in flight at a time: Seal hands it out, OnDurable takes it back.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "broker/core/event_log.h"
#include "broker/core/outbox.h"
#include "broker/core/records.h"

namespace icarus::broker {

class BatchGate {
 public:
  // `last_sequence`: of the last batch in the store.
  explicit BatchGate(std::uint64_t last_sequence) : next_sequence_(last_sequence + 1) {}

  // Takes the effects of one turn; returns those that may be carried out at once, in order.
  std::vector<Effect> Add(std::vector<Effect> effects);
  // The open batch, which is in flight from now on; nothing when it is empty or another one is in flight.
  std::optional<RecordBatch> Seal(std::int64_t clock_ms);
  // The batch in flight is on disk: what waited for it, in order. REQUIRES in_flight().
  std::vector<Effect> OnDurable(std::uint64_t sequence);

  // What happened, one record a batch.
  EventLog& events() { return events_; }

  // Of the batch that holds, or will, the last of what was added.
  std::uint64_t decided_sequence() const { return NeededSequence().value_or(next_sequence_ - 1); }
  bool in_flight() const { return in_flight_.has_value(); }
  bool has_unwritten() const { return !open_.empty() || !events_.empty() || in_flight(); }

 private:
  struct Held {
    std::uint64_t sequence = 0;
    Effect effect;
  };
  // The batch that has to be durable before a promise of this turn may leave; nothing: none.
  std::optional<std::uint64_t> NeededSequence() const;

  std::uint64_t next_sequence_;
  std::optional<std::uint64_t> in_flight_;
  std::vector<Record> open_;
  EventLog events_;
  std::deque<Held> held_;
};

}  // namespace icarus::broker
