#include "broker/storage/store_lock.h"

#include <rocksdb/env.h>

#include <utility>

#include "broker/storage/rocksdb_support.h"
#include "common/base/files.h"

namespace icarus::broker {

// RocksDB's own way to lock, as it also knows the locks of this process: closing any descriptor of a file drops all
// locks that the process has on it.
struct StoreLock::Held {
  rocksdb::FileLock* lock = nullptr;
  ~Held() {
    if (lock != nullptr) rocksdb::Env::Default()->UnlockFile(lock).PermitUncheckedError();
  }
};

StoreLock::StoreLock(std::unique_ptr<Held> held) : held_(std::move(held)) {}
StoreLock::StoreLock(StoreLock&&) noexcept = default;
StoreLock& StoreLock::operator=(StoreLock&&) noexcept = default;
StoreLock::~StoreLock() = default;

Error ServedElsewhere(const std::string& home) {
  return Error::Make(ErrorCode::kRefused, "home " + home + " is already served by another broker");
}

Result<StoreLock> StoreLock::Take(const std::string& store_dir, const std::string& home) {
  auto held = std::make_unique<Held>();
  const std::string path = store_dir + "/LOCK";
  if (!PathExists(path)) return StoreLock(std::move(held));
  const rocksdb::Status status = rocksdb::Env::Default()->LockFile(path, &held->lock);
  if (IsLockHeld(status)) return ServedElsewhere(home);
  if (!status.ok()) return RocksError("cannot lock " + path, status);
  return StoreLock(std::move(held));
}

}  // namespace icarus::broker
