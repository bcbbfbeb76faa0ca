#include "broker/core/event_log.h"

#include <utility>

namespace icarus::broker {
namespace {

constexpr std::int64_t kRipeAfterMs = 100;
constexpr std::uint64_t kEventBytes = 96;  // of one event's names and numbers, about

std::uint64_t SizeOf(const Event& event) {
  return kEventBytes + event.kind.size() + event.user.size() + event.worker.size() + event.detail.size();
}

bool Continues(const Event& last, const Event& event) {
  return last.task && event.task && last.job == event.job && *last.task + last.count == *event.task &&
         last.kind == event.kind && last.worker == event.worker && last.detail == event.detail;
}

}  // namespace

void EventLog::Load(std::uint64_t first, std::uint64_t next, std::uint64_t bytes) {
  stored_.push_back({first, bytes});
  stored_bytes_ += bytes;
  next_ = next;
}

void EventLog::Add(Event event) {
  event.sequence = next_++;
  if (!open_.empty() && Continues(open_.back(), event)) {
    ++open_.back().count;
    return;
  }
  open_.push_back(std::move(event));
}

void EventLog::Seal(std::vector<Record>& records) {
  due_ms_.reset();
  if (open_.empty()) return;
  Stored stored{open_.front().sequence, 0};
  for (const Event& event : open_) stored.bytes += SizeOf(event);
  records.emplace_back(PutEvents{std::exchange(open_, {})});
  stored_.push_back(stored);
  stored_bytes_ += stored.bytes;
  while (stored_.size() > 1 && stored_bytes_ > limit_bytes_) {
    records.emplace_back(DeleteEvents{stored_.front().first});
    stored_bytes_ -= stored_.front().bytes;
    stored_.pop_front();
  }
}

bool EventLog::Ripe(std::int64_t clock_ms) {
  if (open_.empty()) return false;
  if (!due_ms_) due_ms_ = clock_ms + kRipeAfterMs;
  return clock_ms >= *due_ms_;
}

}  // namespace icarus::broker
