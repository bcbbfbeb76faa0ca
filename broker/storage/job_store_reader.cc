#include "broker/storage/job_store_reader.h"

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kReadaheadBytes = 2u << 20;

Error DamagedRecord(std::string_view key, const std::string& what) {
  return CorruptionError(DescribeKey(key) + ": " + what);
}

template <class T>
Result<T> Decode(std::string_view key, std::string_view stored) {
  Result<T> record = DecodeRecord<T>(key, stored);
  if (!record) return DamagedRecord(key, record.error().message);
  return record;
}

// One pass over everything but the bodies. Keeps the job that it is in: what belongs to a job must follow its record.
class Loader {
 public:
  Loader(rocksdb::Iterator& it, const StoreVisitor& visitor) : it_(it), visitor_(visitor) {}

  Status Run() {
    it_.Seek(RecordRange().first);
    while (it_.Valid()) ICARUS_TRY(TakeOne());
    if (!it_.status().ok()) return RocksError("reading all records", it_.status());
    return {};
  }

 private:
  // Reports the record that the iterator is at and moves it on.
  Status TakeOne() {
    const std::string_view key = View(it_.key());
    const std::optional<StoreKey> parsed = ParseKey(key);
    if (!parsed) return DamagedRecord(key, "no record of this store has such a key");
    if (parsed->kind == KeyKind::kStatus) return TakeStatus(key, parsed->job);
    ICARUS_TRY(Take(key, *parsed));
    it_.Next();
    return {};
  }

  Status Take(std::string_view key, const StoreKey& parsed) {
    switch (parsed.kind) {
      case KeyKind::kMeta: return Report<StoreMeta>(key, visitor_.on_meta);
      case KeyKind::kSetting: return TakeSetting(key, parsed.setting);
      case KeyKind::kJob: return TakeJob(key, parsed.job);
      case KeyKind::kTask: return TakeTask(key, {parsed.job, parsed.index});
      case KeyKind::kDispatch: return Report<DispatchRecord>(key, visitor_.on_dispatch);
      case KeyKind::kStatus:
      case KeyKind::kBody:
      case KeyKind::kEvents: break;  // the first is taken apart, the others are outside of the range
    }
    return DamagedRecord(key, "it is out of place");
  }

  template <class T>
  Status Report(std::string_view key, const std::function<void(T)>& report) {
    ICARUS_ASSIGN(T record, Decode<T>(key, View(it_.value())));
    report(std::move(record));
    return {};
  }

  Status TakeSetting(std::string_view key, const std::string& name) {
    const Result<std::string_view> value = Unseal(key, View(it_.value()));
    if (!value) return DamagedRecord(key, value.error().message);
    visitor_.on_setting(name, std::string(*value));
    return {};
  }

  Status TakeJob(std::string_view key, JobId job) {
    ICARUS_ASSIGN(JobRecord record, Decode<JobRecord>(key, View(it_.value())));
    if (record.job != job) return DamagedRecord(key, "it is the record of another job");
    job_ = job;
    visitor_.on_job(std::move(record));
    return {};
  }

  // The tasks of a finished job are stepped over without being read.
  Status TakeStatus(std::string_view key, JobId job) {
    ICARUS_TRY(CheckInJob(key, job));
    ICARUS_ASSIGN(JobStatusRecord status, Decode<JobStatusRecord>(key, View(it_.value())));
    const bool finished = status.finished_at_ms != 0;
    visitor_.on_status(std::move(status));
    if (finished) {
      it_.Seek(JobRange(job).last);
    } else {
      it_.Next();
    }
    return {};
  }

  Status TakeTask(std::string_view key, TaskRef task) {
    ICARUS_TRY(CheckInJob(key, task.job));
    ICARUS_ASSIGN(TaskRecord record, Decode<TaskRecord>(key, View(it_.value())));
    visitor_.on_task(task, std::move(record));
    return {};
  }

  Status CheckInJob(std::string_view key, JobId job) const {
    if (job_ == job) return {};
    return DamagedRecord(key, "the record of its job is missing");
  }

  rocksdb::Iterator& it_;
  const StoreVisitor& visitor_;
  std::optional<JobId> job_;
};

// The stored values of the keys, nullopt where there is none.
Result<std::vector<std::optional<std::string>>> ReadMany(rocksdb::DB& db, const rocksdb::ReadOptions& options,
                                                         const std::vector<std::string>& keys) {
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<std::string> values;
  const std::vector<rocksdb::Status> statuses = db.MultiGet(options, slices, &values);
  std::vector<std::optional<std::string>> found(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      found[i] = std::move(values[i]);
    } else if (!statuses[i].IsNotFound()) {
      return RocksError("cannot read " + DescribeKey(keys[i]), statuses[i]);
    }
  }
  return found;
}

Status ReadBodies(rocksdb::DB& db, const rocksdb::ReadOptions& options, JobId job,
                  const std::vector<TaskIndex>& indices, std::vector<std::optional<StoredTask>>& tasks) {
  std::vector<std::string> keys;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!tasks[i] || !tasks[i]->record.has_body) continue;
    keys.push_back(BodyKey({job, indices[i]}));
    positions.push_back(i);
  }
  ICARUS_ASSIGN(const auto stored, ReadMany(db, options, keys));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!stored[i]) return DamagedRecord(keys[i], "it is missing");
    const Result<std::string_view> body = Unseal(keys[i], *stored[i]);
    if (!body) return DamagedRecord(keys[i], body.error().message);
    tasks[positions[i]]->body = std::make_shared<const std::string>(*body);
  }
  return {};
}

// The records of events from that of `sequence` on, until `take` says no. Of the first some may be before it.
Status VisitEvents(rocksdb::DB& db, std::uint64_t sequence,
                   const std::function<Result<bool>(std::string_view key, std::string_view stored)>& take) {
  const KeyRange range = EventsRange();
  const rocksdb::Slice end(range.last);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
  it->SeekForPrev(EventsKey(sequence));
  if (!it->Valid() || View(it->key()) < range.first) it->Seek(range.first);
  for (; it->Valid(); it->Next()) {
    ICARUS_ASSIGN(const bool more, take(View(it->key()), View(it->value())));
    if (!more) return {};
  }
  if (!it->status().ok()) return RocksError("reading events", it->status());
  return {};
}

Status LoadEvents(rocksdb::DB& db, const StoreVisitor& visitor) {
  if (!visitor.on_events) return {};
  // Where a record ends is where the next one begins, so that only the last is taken apart; all are whole.
  std::optional<std::uint64_t> first;
  std::string last_key, last_stored;
  ICARUS_TRY(VisitEvents(db, 0, [&](std::string_view key, std::string_view stored) -> Result<bool> {
    const std::optional<StoreKey> parsed = ParseKey(key);
    const Result<std::string_view> payload = Unseal(key, stored);
    if (!parsed || !payload) return DamagedRecord(key, parsed ? payload.error().message : "no record has such a key");
    if (first) visitor.on_events(*first, parsed->event, last_stored.size());
    first = parsed->event;
    last_key = key;
    last_stored = stored;
    return true;
  }));
  if (!first) return {};
  ICARUS_ASSIGN(const EventsRecord record, Decode<EventsRecord>(last_key, last_stored));
  if (record.events.empty()) return DamagedRecord(last_key, "it is empty");
  const Event& last = record.events.back();
  visitor.on_events(*first, last.sequence + last.count, last_stored.size());
  return {};
}

}  // namespace

Status LoadRecords(rocksdb::DB& db, const StoreVisitor& visitor) {
  const KeyRange range = RecordRange();
  const rocksdb::Slice end(range.last);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = kReadaheadBytes;
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
  ICARUS_TRY(Loader(*it, visitor).Run());
  return LoadEvents(db, visitor);
}

Result<std::vector<Event>> ReadEventRecords(rocksdb::DB& db, std::uint64_t after, std::size_t limit) {
  std::vector<Event> events;
  ICARUS_TRY(VisitEvents(db, after + 1, [&](std::string_view key, std::string_view stored) -> Result<bool> {
    ICARUS_ASSIGN(EventsRecord record, Decode<EventsRecord>(key, stored));
    for (Event& event : record.events) {
      if (event.sequence + event.count > after + 1) events.push_back(std::move(event));
    }
    return events.size() < limit;
  }));
  return events;
}

Result<std::vector<std::optional<StoredTask>>> ReadTaskRecords(rocksdb::DB& db, JobId job,
                                                               const std::vector<TaskIndex>& indices, bool bodies) {
  // A record and its body belong together, also while the job is being deleted.
  rocksdb::ManagedSnapshot snapshot(&db);
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  std::vector<std::string> keys;
  keys.reserve(indices.size());
  for (const TaskIndex index : indices) keys.push_back(TaskKey({job, index}));
  ICARUS_ASSIGN(const auto stored, ReadMany(db, options, keys));
  std::vector<std::optional<StoredTask>> tasks(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!stored[i]) continue;
    ICARUS_ASSIGN(TaskRecord record, Decode<TaskRecord>(keys[i], *stored[i]));
    tasks[i] = StoredTask{std::move(record), nullptr};
  }
  if (bodies) ICARUS_TRY(ReadBodies(db, options, job, indices, tasks));
  return tasks;
}

}  // namespace icarus::broker
