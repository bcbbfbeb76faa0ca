// What `icarus-broker` does with a home other than serving it.
#pragma once

#include <string>

#include "common/config/home.h"

namespace icarus::broker {

struct StoreTask {
  enum class Kind { kNone, kVerify, kSalvage, kBackup, kRestore } kind = Kind::kNone;
  std::string directory;  // of all but kVerify
  bool json = false;
};

// Carries it out, prints what there is to say, and returns the exit code: 0; 1 when something is damaged or missing; as
// ErrorCode says when it could not be done.
int RunStoreTask(const Home& home, const StoreTask& task);

}  // namespace icarus::broker
