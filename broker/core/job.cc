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
  const bool awaits = spec().command && !spec().command->awaited.empty();
  if (!spec().after.empty() || !spec().after_any.empty() || awaits || spec().delay_ms > 0) Hold();
  if (spec().deadline_ms > 0) deadline_at_ms = record_.enqueued_ms + spec().deadline_ms;
}

TaskState Job::Untaken() const {
  if (remainder_) return *remainder_;
  return held_ ? TaskState::kWaiting : TaskState::kPending;
}

TaskState Job::Counted(std::uint8_t byte) const {
  if (byte == Raw(TaskState::kPending)) return Untaken();
  if (byte == (Raw(TaskState::kPending) | kReturned) && held_) return TaskState::kWaiting;
  return static_cast<TaskState>(byte & kStateMask);
}

void Job::Hold() {
  if (held_) return;
  counts_[Raw(TaskState::kWaiting)] += ready();
  counts_[Raw(TaskState::kPending)] = busy_pending_;
  held_ = true;
}

void Job::Release() {
  if (!held_) return;
  held_ = false;
  counts_[Raw(TaskState::kPending)] += std::exchange(counts_[Raw(TaskState::kWaiting)], 0);
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

TaskState Job::StateOf(TaskIndex index) const { return Counted(Byte(index)); }

bool Job::IsReady(TaskIndex index) const {
  if (held_) return false;
  const std::uint8_t byte = Byte(index);
  if (byte == (Raw(TaskState::kPending) | kReturned)) return true;
  return !remainder_.has_value() && byte == Raw(TaskState::kPending);
}

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
  if ((byte & kReturned) != 0) returned_.erase(index);
  const bool busy = was_busy && !IsFinal(state);
  byte = static_cast<std::uint8_t>(Raw(state) | (busy ? kBusy : 0));
  if (busy && state == TaskState::kPending) ++busy_pending_;
  Move(from, Counted(byte));
  if (state == TaskState::kRunning) {
    active.insert(index);
  } else {
    active.erase(index);
  }
}

void Job::RestoreState(TaskIndex index, TaskState state) {
  std::uint8_t& byte = MutableByte(index);
  const TaskState from = Counted(byte);
  byte = Raw(state);
  if (state != TaskState::kPending) Move(from, state);
}

void Job::SetBusy(TaskIndex index, bool busy) {
  std::uint8_t& byte = MutableByte(index);
  const bool was = (byte & kBusy) != 0;
  if (was == busy) return;
  if ((byte & kReturned) != 0) returned_.erase(index);
  const bool pending = (byte & kStateMask) == Raw(TaskState::kPending);
  ICARUS_CHECK(!(pending && held_));
  byte = static_cast<std::uint8_t>((byte & kStateMask) | (busy ? kBusy : 0));
  if (pending) busy ? ++busy_pending_ : --busy_pending_;
}

std::uint64_t Job::EndRemainder(TaskState state, std::optional<TaskError> error, bool closed) {
  ICARUS_CHECK(IsFinal(state) && state != TaskState::kCompleted);
  const std::uint64_t ended = remainder_ ? 0 : unstarted() - returned_.size();
  if (ended == 0) return 0;
  counts_[Raw(Untaken())] -= ended;
  remainder_ = state;
  remainder_error_ = std::move(error);
  closed_ = closed;
  counts_[Raw(state)] += ended;
  return ended;
}

std::uint64_t Job::RemainderCount() const {
  std::uint64_t count = 0;
  for (TaskIndex index = 0; remainder_ && index < total_; ++index) {
    if (InRemainder(index)) ++count;
  }
  return count;
}

std::uint64_t Job::ReopenRemainder() {
  if (!remainder_) return 0;
  const std::uint64_t reopened = RemainderCount();
  counts_[Raw(*remainder_)] -= reopened;
  remainder_.reset();
  counts_[Raw(Untaken())] += reopened;
  remainder_error_.reset();
  closed_ = false;
  Rewind();
  return reopened;
}

std::optional<TaskIndex> Job::NextReady() {
  if (held_) return std::nullopt;
  if (!returned_.empty()) return *returned_.begin();
  if (remainder_ || released_) return std::nullopt;
  while (next_ < total_ && !IsReady(next_)) ++next_;
  if (next_ < total_) return next_;
  return std::nullopt;
}

void Job::Return(TaskIndex index) {
  if (InRemainder(index)) Move(*remainder_, held_ ? TaskState::kWaiting : TaskState::kPending);
  if ((Byte(index) & kBusy) != 0) SetBusy(index, false);
  std::uint8_t& byte = MutableByte(index);
  ICARUS_CHECK((byte & kStateMask) == Raw(TaskState::kPending));
  byte = Raw(TaskState::kPending) | kReturned;
  returned_.insert(index);
}

const TaskExtra* Job::FindExtra(TaskIndex index) const {
  const auto it = extras_.find(index);
  return it == extras_.end() ? nullptr : &it->second;
}

std::vector<TaskIndex> Job::Taken() const {
  std::vector<TaskIndex> taken;
  for (const auto& [index, extra] : extras_) {
    if (!IsFinal(StateOf(index)) && !IsReady(index)) taken.push_back(index);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
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
  counts_[Raw(Untaken())] = total_;
  busy_pending_ = 0;
  next_ = 0;
}

bool Job::IsUntouched() const {
  const bool none_counted = cached == 0 && joined == 0 && incomplete == 0 && computed == 0 && in_flight == 0;
  const bool none_ended = !remainder_ && failures.empty() && retry_notes.empty() && finished_at_ms == 0;
  const bool none_taken = busy_pending_ == 0 && returned_.empty() && extras_.empty() && !reads_input &&
                          std::all_of(chunks_.begin(), chunks_.end(), [](const auto& chunk) { return !chunk; });
  return !held_ && !released_ && none_counted && none_ended && none_taken && !max_fails_reached;
}

JobStatusRecord Job::StatusRecord() const {
  JobStatusRecord status;
  status.job = id();
  status.solver_identity = identity;
  status.remainder = remainder_;
  status.remainder_error = remainder_error_;
  status.closed = closed_;
  status.released = !held_;
  status.enqueued_ms = enqueued_ms;
  status.deadline_at_ms = deadline_at_ms;
  status.retry_notes = retry_notes;
  status.finished_at_ms = finished_at_ms;
  status.ended_ms = ended_ms;
  if (finished()) {
    status.counts.assign(counts_.begin(), counts_.end());
    status.failures = failures;
  }
  status.cached = cached;
  status.joined = joined;
  status.incomplete = incomplete;
  return status;
}

void Job::RestoreStatus(const JobStatusRecord& status) {
  identity = status.solver_identity;
  if (status.released) Release();
  enqueued_ms = status.enqueued_ms;
  deadline_at_ms = status.deadline_at_ms;
  retry_notes = status.retry_notes;
  finished_at_ms = status.finished_at_ms;
  ended_ms = status.ended_ms;
  if (finished_at_ms != 0) {
    cached = status.cached;
    joined = status.joined;
    incomplete = status.incomplete;
    failures = status.failures;
  }
  if (status.remainder) {
    counts_[Raw(Untaken())] -= total_;
    remainder_ = status.remainder;
    remainder_error_ = status.remainder_error;
    closed_ = status.closed;
    counts_[Raw(*remainder_)] += total_;
  }
  if (finished_at_ms != 0 && status.counts.size() == counts_.size()) {
    StateCounts counts{};
    std::copy(status.counts.begin(), status.counts.end(), counts.begin());
    RestoreFinishedCounts(counts);
  }
}

}  // namespace icarus::broker
