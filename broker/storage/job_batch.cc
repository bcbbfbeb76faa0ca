#include "broker/storage/job_batch.h"

#include <rocksdb/slice.h>
#include <rocksdb/status.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <string>

#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "common/base/check.h"

namespace icarus::broker {
namespace {

// Keeps the first error, as the calls do not depend on each other.
class BatchWriter {
 public:
  explicit BatchWriter(rocksdb::WriteBatch& batch) : batch_(batch) {}

  const rocksdb::Status& status() const { return status_; }

  template <class T>
  void PutRecord(const std::string& key, const T& record) {
    Note(batch_.Put(key, EncodeRecord(key, record)));
  }

  void operator()(const PutJob& put) { PutRecord(JobKey(put.job.job), put.job); }
  void operator()(const PutJobStatus& put) { PutRecord(StatusKey(put.status.job), put.status); }
  void operator()(const DeleteJob& gone) {
    DeleteRange(JobRange(gone.job));
    DeleteRange(BodyRange(gone.job));
  }
  void operator()(const PutTask& put) {
    ICARUS_CHECK(put.record.has_body == (put.body != nullptr));
    PutRecord(TaskKey(put.task), put.record);
    if (put.body != nullptr) PutSealed(BodyKey(put.task), *put.body);
  }
  void operator()(const DeleteTask& gone) {
    Note(batch_.Delete(TaskKey(gone.task)));
    Note(batch_.Delete(BodyKey(gone.task)));
  }
  void operator()(const PutDispatch& put) { PutRecord(DispatchKey(put.dispatch.id), put.dispatch); }
  void operator()(const DeleteDispatch& gone) { Note(batch_.Delete(DispatchKey(gone.id))); }
  void operator()(const PutSetting& put) { PutSealed(SettingKey(put.key), put.value); }
  void operator()(const PutEvents& put) { PutRecord(EventsKey(put.events.front().sequence), EventsRecord{put.events}); }
  void operator()(const DeleteEvents& gone) { Note(batch_.Delete(EventsKey(gone.first))); }
  void operator()(const PutCacheCounters&) {}  // part of the meta
  void operator()(const KeepTime&) {}
  void operator()(const DeleteSetting& gone) { Note(batch_.Delete(SettingKey(gone.key))); }

 private:
  void Note(rocksdb::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  void DeleteRange(const KeyRange& range) { Note(batch_.DeleteRange(range.first, range.last)); }
  // A body may be large: its header and its bytes go into the batch without being joined before.
  void PutSealed(const std::string& key, const std::string& payload) {
    const std::string header = SealHeader(key, payload);
    const std::array<rocksdb::Slice, 1> keys{key};
    const std::array<rocksdb::Slice, 2> values{header, payload};
    Note(batch_.Put(rocksdb::SliceParts(keys.data(), 1), rocksdb::SliceParts(values.data(), 2)));
  }

  rocksdb::WriteBatch& batch_;
  rocksdb::Status status_;
};

}  // namespace

rocksdb::Status FillBatch(const RecordBatch& records, const StoreMeta& meta, rocksdb::WriteBatch& batch) {
  BatchWriter writer(batch);
  for (const Record& record : records.records) std::visit(writer, record);
  writer.PutRecord(MetaKey(), meta);
  return writer.status();
}

}  // namespace icarus::broker
