#include "broker/core/batch_gate.h"

#include <utility>

#include "common/base/check.h"

namespace icarus::broker {
namespace {

bool Waits(const Effect& effect) {
  if (std::holds_alternative<ReadTasks>(effect)) return true;
  const auto* message = std::get_if<SendMessage>(&effect);
  return message != nullptr && message->promise;
}

}  // namespace

std::optional<std::uint64_t> BatchGate::NeededSequence() const {
  if (!open_.empty()) return next_sequence_;
  return in_flight_;
}

std::vector<Effect> BatchGate::Add(std::vector<Effect> effects) {
  // First what is written: a promise of this turn depends on all of it, also on what follows it.
  for (Effect& effect : effects) {
    if (auto* persist = std::get_if<Persist>(&effect)) open_.push_back(std::move(persist->record));
    if (auto* happened = std::get_if<KeepEvent>(&effect)) events_.Add(std::move(happened->event));
  }
  const std::optional<std::uint64_t> needed = NeededSequence();
  std::vector<Effect> at_once;
  for (Effect& effect : effects) {
    if (std::holds_alternative<Persist>(effect) || std::holds_alternative<KeepEvent>(effect)) continue;
    if (needed && Waits(effect)) {
      held_.push_back({*needed, std::move(effect)});
    } else {
      at_once.push_back(std::move(effect));
    }
  }
  return at_once;
}

std::optional<RecordBatch> BatchGate::Seal(std::int64_t clock_ms) {
  if (in_flight_ || (open_.empty() && !events_.Ripe(clock_ms))) return std::nullopt;
  events_.Seal(open_);
  in_flight_ = next_sequence_++;
  return RecordBatch{*in_flight_, clock_ms, std::exchange(open_, {})};
}

std::vector<Effect> BatchGate::OnDurable(std::uint64_t sequence) {
  ICARUS_CHECK(in_flight_ && *in_flight_ == sequence);
  in_flight_.reset();
  std::vector<Effect> released;
  while (!held_.empty() && held_.front().sequence <= sequence) {
    released.push_back(std::move(held_.front().effect));
    held_.pop_front();
  }
  return released;
}

}  // namespace icarus::broker
