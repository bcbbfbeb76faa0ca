// The actions of `icarus cache` that are more than a question.
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/session.h"

namespace icarus::client {

inline std::string EntriesText(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " entry" : " entries");
}

Result<int> ExportCache(Session& session, Client& client);      // cache_transfer.cc
Result<int> ImportIntoCache(Session& session, Client& client);  // cache_transfer.cc
Result<int> AuditCache(Session& session, Client& client);       // cache_audit.cc

}  // namespace icarus::client
