#include "broker/storage/salvage_writer.h"

#include <optional>

#include "broker/storage/record_codec.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kNamedTasks = 20;

// The job has ended as a whole, with tasks that have no record of their own.
bool IsClosed(const JobFacts& facts) { return facts.status && facts.status->remainder && facts.status->closed; }

bool HasLosses(const JobFacts& facts) { return !facts.lost.empty() || facts.uncounted > 0; }

// 4 5 6 9 → "4-6 9"
std::string NameTasks(const std::set<TaskIndex>& tasks) {
  std::string text;
  std::size_t named = 0;
  for (auto it = tasks.begin(); it != tasks.end();) {
    const TaskIndex first = *it;
    TaskIndex last = first;
    while (++it != tasks.end() && *it == last + 1) last = *it;
    if (++named > kNamedTasks) return text + " …";
    text += (text.empty() ? "" : " ") + std::to_string(first) + (last > first ? "-" + std::to_string(last) : "");
  }
  return text;
}

}  // namespace

const JobFacts* SalvageWriter::Kept(JobId job) const {
  const auto found = survey_.jobs().find(job);
  return found != survey_.jobs().end() && found->second.has_record ? &found->second : nullptr;
}

void SalvageWriter::Take(std::string_view key, std::string_view stored) {
  const std::optional<StoreKey> parsed = ParseKey(key);
  if (!parsed || parsed->kind == KeyKind::kMeta || !Unseal(key, stored)) {
    // A task whose record cannot be read is pending again all the same.
    if (!parsed || parsed->kind != KeyKind::kTask) return;
  }
  if (parsed->kind == KeyKind::kSetting || parsed->kind == KeyKind::kEvents) return put_(key, stored);
  if (parsed->kind == KeyKind::kDispatch) return TakeDispatch(key, stored);
  const JobFacts* facts = Kept(parsed->job);
  if (facts == nullptr) return;
  switch (parsed->kind) {
    case KeyKind::kJob: ++jobs_; return put_(key, stored);
    case KeyKind::kStatus: return TakeStatus(key, stored, *facts);
    case KeyKind::kTask: return TakeTask(key, stored, parsed->index, *facts);
    case KeyKind::kBody:
      if (parsed->index >= facts->total || facts->lost.contains(parsed->index)) return;
      ++bodies_;
      return put_(key, stored);
    case KeyKind::kMeta:
    case KeyKind::kSetting:
    case KeyKind::kEvents:
    case KeyKind::kDispatch: return;
  }
}

// Counts are made anew from the tasks when a job is not finished.
void SalvageWriter::TakeStatus(std::string_view key, std::string_view stored, const JobFacts& facts) {
  if (!facts.status) return;
  if (!HasLosses(facts)) return put_(key, stored);
  JobStatusRecord status = *facts.status;
  status.finished_at_ms = 0;
  status.ended_ms = 0;
  status.counts.clear();
  status.failures.clear();
  // What comes back to a closed job ends with it, and the lost tasks are to be computed.
  if (!facts.lost.empty()) status.closed = false;
  put_(key, EncodeRecord(key, status));
}

void SalvageWriter::TakeTask(std::string_view key, std::string_view stored, TaskIndex index, const JobFacts& facts) {
  if (index >= facts.total) return;
  auto record = DecodeRecord<TaskRecord>(key, stored);
  if (!facts.lost.contains(index)) {
    // Of a closed job that is opened for its lost tasks, those that had ended with it go on being ended.
    const bool ended_with_job = IsClosed(facts) && record && !IsFinal(record->state);
    if (!record || (ended_with_job && !facts.lost.empty())) return;
    ++tasks_;
    return put_(key, stored);
  }
  TaskRecord pending = record ? std::move(*record) : TaskRecord();
  pending.state = TaskState::kPending;
  pending.has_body = false;
  pending.incomplete = false;
  pending.not_before_ms = 0;
  pending.error.reset();
  pending.blobs.reset();
  ++tasks_;
  put_(key, EncodeRecord(key, pending));
}

void SalvageWriter::TakeDispatch(std::string_view key, std::string_view stored) {
  auto record = DecodeRecord<DispatchRecord>(key, stored);
  if (!record) return;
  const std::size_t before = record->tasks.size();
  std::erase_if(record->tasks, [this](const DispatchedTask& task) {
    const JobFacts* facts = Kept(task.job);
    return facts == nullptr || task.index >= facts->total;
  });
  if (record->tasks.size() == before) return put_(key, stored);
  if (!record->tasks.empty()) put_(key, EncodeRecord(key, *record));
}

std::uint64_t SalvageWriter::pending_again() const {
  std::uint64_t tasks = 0;
  for (const auto& [job, facts] : survey_.jobs()) {
    if (!facts.has_record) continue;
    tasks += facts.lost.size();
    if (!facts.status || !facts.status->remainder) tasks += facts.uncounted;
  }
  return tasks;
}

std::vector<std::string> SalvageWriter::NameLosses() const {
  std::vector<std::string> losses;
  for (const auto& [job, facts] : survey_.jobs()) {
    const std::string name = "job " + std::to_string(job.value);
    if (!facts.has_record) {
      losses.push_back(name + ": all of it, as its record is gone");
      continue;
    }
    if (facts.status_lost)
      losses.push_back(name + ": its status; what had not ended before is pending, also if it was cancelled");
    if (!facts.lost.empty()) {
      losses.push_back(name + ": the results of tasks " + NameTasks(facts.lost) + ", which are pending again");
    }
    if (facts.uncounted == 0) continue;
    const std::string more = std::to_string(facts.uncounted) + " results";
    losses.push_back(name + ": " + more +
                     (facts.status->remainder ? ", of tasks that are taken for ended with the job; icarus retry " +
                                                    std::to_string(job.value) + " computes them"
                                              : ", of tasks that are pending again"));
  }
  return losses;
}

std::vector<std::string> SalvageWriter::NameGaps(std::uint64_t last_job) const {
  std::vector<std::string> gaps;
  std::uint64_t next = 1;
  const auto name = [&](std::uint64_t end) {
    if (next >= end) return;
    const std::string last = std::to_string(end - 1);
    gaps.push_back((end - 1 == next ? "job " + last : "jobs " + std::to_string(next) + " to " + last) +
                   ": nothing is there; lost, or gone after its time");
  };
  for (const auto& [job, facts] : survey_.jobs()) {
    name(job.value);
    next = job.value + 1;
  }
  name(last_job + 1);
  return gaps;
}

}  // namespace icarus::broker
