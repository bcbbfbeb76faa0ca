// What a job store's files say before it is opened for writing: opening changes them, so whether the store is whole is
// decided before.
#pragma once

#include <optional>
#include <string>

#include "broker/storage/high_water.h"
#include "common/base/result.h"

namespace icarus::broker {

std::string HighWaterPath(const std::string& store_dir);

struct StoreCheck {
  bool is_new = false;                // nothing was ever written to it
  std::optional<StorePosition> mark;  // nullopt: there is none that can be read
  StorePosition reached;              // where it will end once it is open
  // Not empty: the path of the log whose last record was cut off in the middle of being written. It was never
  // acknowledged: the store without it reaches the mark.
  std::string torn_log;
  std::string torn_what;
};

// Changes nothing. kCorruption when a file that the store needs is missing or damaged, when batches are missing, or
// when it ends below its high-water mark; the message names the file. REQUIRES that no broker serves the store.
Result<StoreCheck> CheckStoreFiles(const std::string& dir, const std::string& home);

// CURRENT and the list of tables that it names are there and whole. kCorruption: the file and what is wrong.
Status CheckTableList(const std::string& dir);

}  // namespace icarus::broker
