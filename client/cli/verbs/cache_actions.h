// The actions of `icarus cache` that are more than a question.
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/session.h"

namespace icarus::client {

// Of entries with their values, held in memory and sent together: until one of the two is reached.
inline constexpr std::size_t kEntriesAtOnce = 500;
inline constexpr std::size_t kBytesAtOnce = 4u << 20;

inline std::string EntriesText(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " entry" : " entries");
}

Result<int> ListCached(Session& session, Client& client);       // cache_list.cc
Result<int> ExportCache(Session& session, Client& client);      // cache_transfer.cc
Result<int> ImportIntoCache(Session& session, Client& client);  // cache_transfer.cc
Result<int> AuditCache(Session& session, Client& client);       // cache_audit.cc

}  // namespace icarus::client
