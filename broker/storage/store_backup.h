// Copies of a store that another home can be made of.
#pragma once

#include <cstdint>
#include <string>

#include "broker/storage/store_verify.h"
#include "common/base/result.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace icarus::broker {

// What the file `backup` in the directory of a backup says. It is written last: without it a backup is not complete.
struct BackupNote {
  std::string lineage;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  // of the last batch in it
  std::int64_t wall_ms = 0;
  std::uint64_t blobs = 0;
  friend bool operator==(const BackupNote&, const BackupNote&) = default;
};
Status WriteBackupNote(const std::string& dir, const BackupNote& note);
// kNotFound: there is none; kCorruption: what is there is no such note.
Result<BackupNote> ReadBackupNote(const std::string& dir);

// Of a store that nobody serves. `target` must not exist or be empty. Tables and files are hard links where both lie on
// one file system, else copies. kRefused: served, or `target` in use; kCorruption: the store is damaged, which a backup
// must not hide; kNotFound: there is no store.
Result<BackupNote> BackUpStore(const StorePlaces& home, const std::string& target);

// Of the store that this process has open: any thread, while others write. What is committed when it is called is in
// it.
Result<BackupNote> BackUpOpenStore(rocksdb::DB& db, const std::string& blobs_dir, const std::string& target);

// Makes store and files of `home`, which has no store, from a backup, which is only read. The store has a new lineage,
// and an epoch far above the backup's. kRefused: `home` has a store; kCorruption: the backup is damaged.
Result<BackupNote> RestoreStore(const StorePlaces& home, const std::string& backup);

}  // namespace icarus::broker
