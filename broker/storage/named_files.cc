#include "broker/storage/named_files.h"

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>

#include <memory>
#include <string>

#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kSweepReadahead = 2u << 20;

template <class T>
Status VisitFilesOf(const rocksdb::Iterator& it, const std::function<void(const ContentHash&)>& visit) {
  const Result<T> record = DecodeRecord<T>(View(it.key()), View(it.value()));
  if (!record) return CorruptionError(DescribeKey(View(it.key())) + ": " + record.error().message);
  for (const ContentHash& file : FilesOf(*record)) visit(file);
  return {};
}

}  // namespace

std::vector<ContentHash> FilesOf(const JobRecord& record) {
  std::vector<ContentHash> files;
  if (!record.spec.command) return files;
  for (const FileRef& input : record.spec.command->inputs) {
    if (input.IsStored()) files.push_back(input.hash);
  }
  return files;
}

std::vector<ContentHash> FilesOf(const TaskRecord& record) {
  std::vector<ContentHash> files = record.blobs.value_or(std::vector<ContentHash>());
  for (const FileRef& file : record.kept.value_or(std::vector<FileRef>())) {
    if (file.IsStored()) files.push_back(file.hash);
  }
  return files;
}

Status VisitNamedFiles(rocksdb::DB& db, const std::function<void(const ContentHash&)>& visit) {
  const KeyRange range = RecordRange();
  const rocksdb::Slice end(range.last);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = kSweepReadahead;
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
  for (it->Seek(range.first); it->Valid(); it->Next()) {
    const std::optional<StoreKey> key = ParseKey(View(it->key()));
    if (key && key->kind == KeyKind::kJob) ICARUS_TRY(VisitFilesOf<JobRecord>(*it, visit));
    if (key && key->kind == KeyKind::kTask) ICARUS_TRY(VisitFilesOf<TaskRecord>(*it, visit));
  }
  if (!it->status().ok()) return RocksError("reading all records", it->status());
  return {};
}

}  // namespace icarus::broker
