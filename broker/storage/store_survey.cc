#include "broker/storage/store_survey.h"

#include <algorithm>
#include <numeric>

#include "broker/storage/record_codec.h"

namespace icarus::broker {
namespace {

std::string NameJob(JobId job) { return "job " + std::to_string(job.value); }

}  // namespace

void StoreSurvey::Take(std::string_view key, std::string_view stored) {
  const std::optional<StoreKey> parsed = ParseKey(key);
  if (!parsed) return Find(key, "no record of this store has such a key");
  switch (parsed->kind) {
    case KeyKind::kMeta: {
      auto meta = DecodeRecord<StoreMeta>(key, stored);
      if (!meta) return Find(key, meta.error().message);
      last_epoch_ = std::max(last_epoch_, meta->epoch);
      last_clock_ms_ = std::max(last_clock_ms_, meta->clock_ms);
      meta_ = std::move(*meta);
      return;
    }
    case KeyKind::kSetting:
      if (const auto value = Unseal(key, stored); !value) Find(key, value.error().message);
      return;
    case KeyKind::kJob: return TakeJob(key, stored, parsed->job);
    case KeyKind::kStatus: return TakeStatus(key, stored, parsed->job);
    case KeyKind::kTask: return TakeTask(key, stored, {parsed->job, parsed->index});
    case KeyKind::kDispatch: return TakeDispatch(key, stored, parsed->dispatch);
    case KeyKind::kEvents:
      if (const auto events = DecodeRecord<EventsRecord>(key, stored); !events) Find(key, events.error().message);
      return;
    case KeyKind::kBody: return TakeBody(key, stored, {parsed->job, parsed->index});
  }
}

void StoreSurvey::TakeUnreadable(const UnreadableRange& range) { findings_.push_back(Describe(range)); }

void StoreSurvey::TakeJob(std::string_view key, std::string_view stored, JobId job) {
  const auto record = DecodeRecord<JobRecord>(key, stored);
  if (!record) return Find(key, record.error().message);
  if (record->job != job) return Find(key, "it is the record of " + NameJob(record->job));
  const auto total = record->spec.sweep.Count();
  if (!total) return Find(key, "its sweep cannot be counted: " + total.error().message);
  JobFacts& facts = jobs_[job];
  facts.has_record = true;
  facts.total = *total;
  ++job_count_;
  last_clock_ms_ = std::max(last_clock_ms_, record->enqueued_ms);
  if (!record->id.empty()) {
    const auto [known, fresh] = by_submit_id_.insert({{record->user, record->id}, job});
    if (!fresh) Find(key, "it has the submission id of " + NameJob(known->second));
  }
  if (!record->spec.command) return;
  for (const FileRef& input : record->spec.command->inputs) {
    if (input.IsStored()) NeedFile(input.hash, NameJob(job) + " needs its input " + input.name, std::nullopt);
  }
}

void StoreSurvey::TakeStatus(std::string_view key, std::string_view stored, JobId job) {
  JobFacts& facts = jobs_[job];
  auto status = DecodeRecord<JobStatusRecord>(key, stored);
  if (status && status->job != job) status = Error::Make(ErrorCode::kCorruption, "it is the status of another job");
  if (!status) {
    facts.status_lost = true;
    return Find(key, status.error().message);
  }
  last_clock_ms_ = std::max(last_clock_ms_, status->enqueued_ms);
  facts.status = std::move(*status);
}

void StoreSurvey::TakeTask(std::string_view key, std::string_view stored, TaskRef task) {
  ++tasks_;
  JobFacts& facts = jobs_[task.job];
  if (facts.has_record && task.index >= facts.total) {
    return Find(key, "its job has " + std::to_string(facts.total) + " tasks");
  }
  const auto record = DecodeRecord<TaskRecord>(key, stored);
  if (!record) {
    facts.lost.insert(task.index);
    ++facts.lost_records;
    return Find(key, record.error().message);
  }
  ++facts.recorded[static_cast<std::size_t>(record->state)];
  last_epoch_ = std::max(last_epoch_, record->ended_token.value >> kEpochShift);
  if (record->has_body) {
    if (facts.lacks_body.size() <= task.index) facts.lacks_body.resize(task.index + std::size_t{1});
    facts.lacks_body[task.index] = true;
  }
  for (const ContentHash& hash : record->blobs.value_or(std::vector<ContentHash>())) {
    NeedFile(hash, "task " + FormatTask(task) + " has an output", task);
  }
  // Without it the task begins anew.
  for (const FileRef& file : record->kept.value_or(std::vector<FileRef>())) {
    NeedFile(file.hash, "task " + FormatTask(task) + " has kept a file", std::nullopt);
  }
}

void StoreSurvey::TakeBody(std::string_view key, std::string_view stored, TaskRef task) {
  ++bodies_;
  const auto job = jobs_.find(task.job);
  if (job == jobs_.end()) return Find(key, "the record of its job is missing");
  JobFacts& facts = job->second;
  // A body of an earlier attempt may stay, unread, when the task has no other.
  const bool wanted = task.index < facts.lacks_body.size() && facts.lacks_body[task.index];
  if (wanted) facts.lacks_body[task.index] = false;
  const auto body = Unseal(key, stored);
  if (body) return;
  Find(key, body.error().message);
  if (wanted) facts.lost.insert(task.index);
}

void StoreSurvey::TakeDispatch(std::string_view key, std::string_view stored, std::uint64_t id) {
  last_epoch_ = std::max(last_epoch_, id >> kEpochShift);
  const auto record = DecodeRecord<DispatchRecord>(key, stored);
  if (!record) return Find(key, record.error().message);
  if (record->id != id) return Find(key, "it is the record of dispatch " + std::to_string(record->id));
  for (const DispatchedTask& task : record->tasks) {
    if (!IsTask({task.job, task.index})) {
      Find(key, "there is no task " + FormatTask({task.job, task.index}) + ", which it names");
    }
  }
}

bool StoreSurvey::IsTask(TaskRef task) const {
  const auto job = jobs_.find(task.job);
  return job != jobs_.end() && job->second.has_record && task.index < job->second.total;
}

void StoreSurvey::NeedFile(const ContentHash& hash, std::string whose, std::optional<TaskRef> task) {
  needed_.push_back({hash, std::move(whose), task});
}

void StoreSurvey::Finish(const std::function<bool(const ContentHash&)>& has_file) {
  if (!meta_) findings_.push_back("the store's description is missing");
  for (auto& [job, facts] : jobs_) {
    if (!facts.has_record)
      findings_.push_back("the record of " + NameJob(job) + " is missing, and others belong to it");
    for (std::size_t index = 0; index < facts.lacks_body.size(); ++index) {
      if (!facts.lacks_body[index]) continue;
      const auto task = static_cast<TaskIndex>(index);
      facts.lost.insert(task);
      Find(BodyKey({job, task}), "it is missing");
    }
    if (facts.has_record && facts.finished()) CheckFinished(job, facts);
  }
  for (const NeededFile& file : needed_) {
    if (has_file(file.hash)) continue;
    findings_.push_back(file.whose + " in the file " + file.hash.Hex() + ", which is missing or damaged");
    if (file.task) jobs_[file.task->job].lost.insert(file.task->index);
  }
}

// A finished job says how many of its tasks ended how: each has a record, or is of the remainder, which has none.
void StoreSurvey::CheckFinished(JobId job, JobFacts& facts) {
  const std::vector<std::uint64_t>& counts = facts.status->counts;
  if (counts.size() != kTaskStateCount) {
    return Find(StatusKey(job), "it has no counts, though the job is finished");
  }
  const std::uint64_t all = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (all != facts.total) {
    Find(StatusKey(job), "it counts " + std::to_string(all) + " tasks of " + std::to_string(facts.total));
  }
  std::uint64_t recorded = 0;
  for (std::size_t state = 0; state < kTaskStateCount; ++state) {
    if (IsFinal(static_cast<TaskState>(state))) recorded += facts.recorded[state];
  }
  for (std::size_t i = 0; i < kTaskStateCount; ++i) {
    const auto state = static_cast<TaskState>(i);
    std::uint64_t there = IsFinal(state) ? facts.recorded[i] : 0;
    if (facts.status->remainder == state) there += facts.total - std::min<std::uint64_t>(recorded, facts.total);
    if (there == counts[i]) continue;
    if (there < counts[i]) facts.uncounted += counts[i] - there;
    Find(StatusKey(job), "it counts " + std::to_string(counts[i]) + " tasks " + std::string(StateName(state)) +
                             ", but there are " + std::to_string(there));
  }
  facts.uncounted -= std::min(facts.uncounted, facts.lost_records);
}

}  // namespace icarus::broker
