// SalvageCopy: a copy of a damaged store that has been opened, by whatever means that takes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/storage/high_water.h"
#include "common/base/result.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace icarus::broker {

// Owns the directory `dir`, and removes it at its end.
class SalvageCopy {
 public:
  // Copies the store's files to `dir`, opens them, repaired if need be, and writes into them every batch of the logs
  // that can be read, also behind damage. What was lost on the way is added to `missing`.
  static Result<std::unique_ptr<SalvageCopy>> Make(const std::string& store_dir, const std::string& dir,
                                                   std::vector<std::string>& missing);
  ~SalvageCopy();
  SalvageCopy(const SalvageCopy&) = delete;
  SalvageCopy& operator=(const SalvageCopy&) = delete;

  rocksdb::DB& db() { return *db_; }
  // The furthest that the store is known to have been.
  const StorePosition& furthest() const { return furthest_; }

 private:
  explicit SalvageCopy(std::string dir) : dir_(std::move(dir)) {}
  Status CopyFiles(const std::string& store_dir, std::vector<std::string>& missing);
  Status OpenTables(std::vector<std::string>& missing);
  bool TablesAreComplete() const;
  Status ReplayLogs(std::vector<std::string>& missing);
  std::string logs_dir() const { return dir_ + "/logs"; }
  std::string tables_dir() const { return dir_ + "/store"; }

  std::string dir_;
  std::unique_ptr<rocksdb::DB> db_;
  std::optional<StorePosition> mark_;
  StorePosition furthest_;
};

}  // namespace icarus::broker
