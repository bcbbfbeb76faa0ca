// StoreLock: holds the lock that a broker holds while it serves a store, without opening the database. While it is
// held no broker can start on the store, so its files can be read and copied at rest.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"

namespace icarus::broker {

class StoreLock {
 public:
  // kRefused: a broker serves the store; `home` is named. A store without a lock file was never served, or lost it: it
  // is not locked, as that would make a file.
  static Result<StoreLock> Take(const std::string& store_dir, const std::string& home);
  StoreLock(StoreLock&&) noexcept;
  StoreLock& operator=(StoreLock&&) noexcept;
  ~StoreLock();

 private:
  struct Held;
  explicit StoreLock(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
};

// "home … is already served by another broker".
Error ServedElsewhere(const std::string& home);

}  // namespace icarus::broker
