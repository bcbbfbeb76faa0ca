#include "broker/storage/store_backup.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "broker/storage/blob_store.h"
#include "broker/storage/file_io.h"
#include "broker/storage/high_water.h"
#include "broker/storage/job_store_database.h"
#include "broker/storage/key_schema.h"
#include "broker/storage/record_codec.h"
#include "broker/storage/rocksdb_support.h"
#include "broker/storage/store_check.h"
#include "broker/storage/store_lock.h"
#include "broker/storage/store_salvage.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/unique_fd.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

using CopyOne = Status (*)(const std::string& from, const std::string& to);

// The database and the high-water mark.
Status CopyDatabase(const std::string& from, const std::string& to, CopyOne copy_table) {
  ICARUS_TRY(MakePrivateDirectory(to));
  std::error_code error;
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const std::string target = to + "/" + name;
    if (name.ends_with(".sst")) {
      ICARUS_TRY(copy_table(it->path().string(), target));
    } else if (IsDatabaseFile(name) || name == "highwater") {
      ICARUS_TRY(CopyFile(it->path().string(), target));
    }
  }
  if (error) return IoError("cannot read " + from + ": " + error.message());
  return SyncDirectory(to);
}

// After the store: a file is complete before a record names it, so all that the store names are there.
Result<std::uint64_t> CopyBlobs(const std::string& from, const std::string& to) {
  std::uint64_t copied = 0;
  if (!PathExists(from)) return copied;
  ICARUS_ASSIGN(const BlobStore target, BlobStore::Open(to));
  const BlobStore source = BlobStore::Existing(from);
  Status status;
  ICARUS_TRY(source.ForEach([&](const StoredBlob& blob) {
    const std::string path = target.PathOf(blob.hash);
    if (!status || PathExists(path)) return;
    status = MakePrivateDirectory(fs::path(path).parent_path().string());
    if (status) status = LinkOrCopyFile(source.PathOf(blob.hash), path);
    if (status) ++copied;
  }));
  ICARUS_TRY(status);
  return copied;
}

// A checkpoint leaves to the kernel when the files that it copied reach the disk.
Status SyncFiles(const std::string& dir) {
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    const UniqueFd fd(::open(it->path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return DiskError("cannot sync " + it->path().string(), errno);
  }
  if (error) return IoError("cannot read " + dir + ": " + error.message());
  return SyncDirectory(dir);
}

// What the copy itself holds, which for a store that is written meanwhile only the copy knows.
Result<BackupNote> NoteOf(const std::string& target, std::uint64_t blobs) {
  ICARUS_ASSIGN(const StoreCheck check, CheckStoreFiles(target + "/store", target));
  BackupNote note{check.reached.lineage, check.reached.epoch, check.reached.sequence, ReadClocks().wall_ms, blobs};
  ICARUS_ASSIGN(HighWater mark, HighWater::Open(HighWaterPath(target + "/store")));
  ICARUS_TRY(mark.Write(check.reached));
  ICARUS_TRY(WriteBackupNote(target, note));
  ICARUS_TRY(SyncDirectory(target));
  return note;
}

// The restored store is another store from here on.
Status BeginAnew(const std::string& store_dir, const BackupNote& note) {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(JobStoreDbOptions({}), store_dir, &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) return OpenFailure(store_dir, store_dir, status);
  ICARUS_ASSIGN(StoreMeta meta, ReadMeta(*db, store_dir));
  if (meta.sequence != note.sequence)
    return Error::Make(ErrorCode::kCorruption, "it ends at another batch than it says");
  meta.lineage = NewStoreMeta().lineage;
  meta.epoch = std::max(meta.epoch, note.epoch) + kEpochLeap;
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status written = db->Put(options, MetaKey(), EncodeRecord(MetaKey(), meta));
  // Into the tables: the batches of two lineages are not one row.
  if (written.ok()) written = db->Flush(rocksdb::FlushOptions());
  if (!written.ok()) return RocksError("cannot write to " + store_dir, written);
  ICARUS_ASSIGN(HighWater mark, HighWater::Open(HighWaterPath(store_dir)));
  return mark.Write({meta.lineage, meta.epoch, meta.sequence});
}

Status CheckBackup(const std::string& backup) {
  ICARUS_ASSIGN(const VerifyReport report, VerifyStore({backup, backup + "/store", backup + "/blobs", ""}));
  if (report.findings.empty()) return {};
  return Error::Make(ErrorCode::kCorruption,
                     "the backup in " + backup + " is damaged (" + std::to_string(report.findings.size()) +
                         " findings, the first: " + report.findings.front() +
                         "); use another, or make a home of what can be read with icarus-broker --home " + backup +
                         " --salvage NEWDIR");
}

}  // namespace

Result<BackupNote> BackUpStore(const StorePlaces& home, const std::string& target) {
  ICARUS_ASSIGN(const StoreLock lock, LockStore(home));
  const auto check = CheckStoreFiles(home.store, home.home);
  if (!check) return WithAdvice(home.store, check.error());
  if (!check->torn_log.empty()) {
    return Error::Make(
        ErrorCode::kRefused,
        check->torn_what + ", as after a power cut; start the broker once, which puts that right, and back up then");
  }
  ICARUS_TRY(MakeEmptyDirectory(target));
  ICARUS_TRY(CopyDatabase(home.store, target + "/store", LinkOrCopyFile));
  ICARUS_ASSIGN(const std::uint64_t blobs, CopyBlobs(home.blobs, target + "/blobs"));
  return NoteOf(target, blobs);
}

Result<BackupNote> BackUpOpenStore(rocksdb::DB& db, const std::string& blobs_dir, const std::string& target) {
  ICARUS_TRY(MakeEmptyDirectory(target));
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(&db, &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(target + "/store");
  if (!status.ok()) return RocksError("cannot make a backup in " + target, status);
  ICARUS_TRY(SyncFiles(target + "/store"));
  ICARUS_ASSIGN(const std::uint64_t blobs, CopyBlobs(blobs_dir, target + "/blobs"));
  return NoteOf(target, blobs);
}

Result<BackupNote> RestoreStore(const StorePlaces& home, const std::string& backup) {
  if (PathExists(home.store)) {
    return Error::Make(ErrorCode::kRefused, home.home + " has a store already; restore into another --home");
  }
  ICARUS_ASSIGN(const BackupNote note, ReadBackupNote(backup));
  ICARUS_TRY(CheckBackup(backup));
  // Under another name until it is complete: half a store is none.
  const std::string partial = home.store + ".restoring";
  ICARUS_TRY(RemoveTree(partial));
  ICARUS_TRY(CopyDatabase(backup + "/store", partial, CopyFile));
  ICARUS_TRY(CopyBlobs(backup + "/blobs", home.blobs));
  ICARUS_TRY(BeginAnew(partial, note));
  if (std::rename(partial.c_str(), home.store.c_str()) != 0) return DiskError("cannot rename " + partial, errno);
  ICARUS_TRY(SyncDirectory(home.home));
  return note;
}

}  // namespace icarus::broker
