#include "broker/core/job.h"

#include <algorithm>

#include "common/base/check.h"

namespace icarus::broker {
namespace {
constexpr std::uint8_t kStateMask = 0x0f;
std::uint8_t Raw(TaskState state) { return static_cast<std::uint8_t>(state); }
}  // namespace

Job::Job(JobRecord record, const Manifest& manifest, std::uint32_t total)
    : record_(std::move(record)), manifest_(&manifest), total_(total), chunks_((total + kChunk - 1) / kChunk) {
  counts_[Raw(TaskState::kPending)] = total;
}

std::uint8_t Job::Byte(TaskIndex index) const {
  ICARUS_CHECK(index < total_ && !released_);
  const auto& chunk = chunks_[index / kChunk];
  return chunk ? (*chunk)[index % kChunk] : Raw(TaskState::kPending);
}

std::uint8_t& Job::MutableByte(TaskIndex index) {
  ICARUS_CHECK(index < total_ && !released_);
  auto& chunk = chunks_[index / kChunk];
  if (!chunk) {
    chunk = std::make_unique<Chunk>();
    chunk->fill(Raw(TaskState::kPending));
  }
  return (*chunk)[index % kChunk];
}

bool Job::InRemainder(TaskIndex index) const {
  return remainder_.has_value() && Byte(index) == Raw(TaskState::kPending);
}

TaskState Job::StateOf(TaskIndex index) const {
  if (InRemainder(index)) return *remainder_;
  return static_cast<TaskState>(Byte(index) & kStateMask);
}

bool Job::IsReady(TaskIndex index) const { return !remainder_.has_value() && Byte(index) == Raw(TaskState::kPending); }

void Job::Move(TaskState from, TaskState to) {
  ICARUS_CHECK(counts_[Raw(from)] > 0);
  --counts_[Raw(from)];
  ++counts_[Raw(to)];
}

void Job::SetState(TaskIndex index, TaskState state) {
  const TaskState from = StateOf(index);
  ICARUS_CHECK(IsLegalTransition(from, state));
  std::uint8_t& byte = MutableByte(index);
  const bool was_busy = (byte & kBusy) != 0;
  if (was_busy && from == TaskState::kPending) --busy_pending_;
  const bool busy = was_busy && !IsFinal(state);
  byte = static_cast<std::uint8_t>(Raw(state) | (busy ? kBusy : 0));
  if (busy && state == TaskState::kPending) ++busy_pending_;
  Move(from, state);
  if (state == TaskState::kRunning) {
    active.insert(index);
  } else {
    active.erase(index);
  }
}

void Job::RestoreState(TaskIndex index, TaskState state) {
  std::uint8_t& byte = MutableByte(index);
  const auto from = static_cast<TaskState>(byte & kStateMask);
  byte = Raw(state);
  if (from != state) Move(remainder_ && from == TaskState::kPending ? *remainder_ : from, state);
}

void Job::SetBusy(TaskIndex index, bool busy) {
  std::uint8_t& byte = MutableByte(index);
  const bool was = (byte & kBusy) != 0;
  if (was == busy) return;
  const bool pending = (byte & kStateMask) == Raw(TaskState::kPending);
  byte = static_cast<std::uint8_t>(busy ? byte | kBusy : byte & kStateMask);
  if (pending) busy ? ++busy_pending_ : --busy_pending_;
}

std::uint64_t Job::EndRemainder(TaskState state, std::optional<TaskError> error) {
  ICARUS_CHECK(IsFinal(state) && state != TaskState::kCompleted);
  const std::uint64_t ended = remainder_ ? 0 : ready();
  if (ended == 0) return 0;
  remainder_ = state;
  remainder_error_ = std::move(error);
  counts_[Raw(TaskState::kPending)] -= ended;
  counts_[Raw(state)] += ended;
  for (const TaskIndex index : returned_) extras_.erase(index);
  returned_.clear();
  return ended;
}

std::uint64_t Job::ReopenRemainder() {
  if (!remainder_) return 0;
  std::uint64_t reopened = 0;
  for (TaskIndex index = 0; index < total_; ++index) {
    if (InRemainder(index)) ++reopened;
  }
  counts_[Raw(*remainder_)] -= reopened;
  counts_[Raw(TaskState::kPending)] += reopened;
  remainder_.reset();
  remainder_error_.reset();
  Rewind();
  return reopened;
}

std::optional<TaskIndex> Job::NextReady() {
  if (remainder_ || released_) return std::nullopt;
  while (!returned_.empty()) {
    if (IsReady(*returned_.begin())) return *returned_.begin();
    returned_.erase(returned_.begin());
  }
  while (next_ < total_ && !IsReady(next_)) ++next_;
  if (next_ < total_) return next_;
  return std::nullopt;
}

void Job::Return(TaskIndex index) {
  SetBusy(index, false);
  if (index < next_) returned_.insert(index);
}

const TaskExtra* Job::FindExtra(TaskIndex index) const {
  const auto it = extras_.find(index);
  return it == extras_.end() ? nullptr : &it->second;
}

bool Job::finished() const {
  return Count(TaskState::kWaiting) + Count(TaskState::kPending) + Count(TaskState::kRunning) == 0;
}

void Job::ReleaseTasks() {
  chunks_.clear();
  chunks_.shrink_to_fit();
  extras_.clear();
  returned_.clear();
  active.clear();
  released_ = true;
}

void Job::RestoreFinishedCounts(const StateCounts& counts) {
  counts_ = counts;
  ReleaseTasks();
}

void Job::ReloadTasks() {
  ICARUS_CHECK(released_);
  released_ = false;
  chunks_.resize((total_ + kChunk - 1) / kChunk);
  counts_ = {};
  counts_[Raw(remainder_ ? *remainder_ : TaskState::kPending)] = total_;
  busy_pending_ = 0;
  next_ = 0;
}

JobStatusRecord Job::StatusRecord() const {
  JobStatusRecord status;
  status.job = id();
  status.solver_identity = identity;
  status.remainder = remainder_;
  status.remainder_error = remainder_error_;
  status.finished_at_ms = finished_at_ms;
  if (finished()) status.counts.assign(counts_.begin(), counts_.end());
  status.cached = cached;
  status.joined = joined;
  status.incomplete = incomplete;
  return status;
}

void Job::RestoreStatus(const JobStatusRecord& status) {
  identity = status.solver_identity;
  finished_at_ms = status.finished_at_ms;
  if (finished_at_ms != 0) {
    cached = status.cached;
    joined = status.joined;
    incomplete = status.incomplete;
  }
  if (status.remainder) {
    remainder_ = status.remainder;
    remainder_error_ = status.remainder_error;
    counts_[Raw(TaskState::kPending)] -= total_;
    counts_[Raw(*remainder_)] += total_;
  }
  if (finished_at_ms != 0 && status.counts.size() == counts_.size()) {
    StateCounts counts{};
    std::copy(status.counts.begin(), status.counts.end(), counts.begin());
    RestoreFinishedCounts(counts);
  }
}

}  // namespace icarus::broker
