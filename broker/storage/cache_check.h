// Whether every entry and value of a cache database can be read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace icarus::broker {

struct CacheCheck {
  std::uint64_t entries = 0;
  std::vector<std::string> damage;  // a line each
};

// Changes nothing on disk. REQUIRES that no broker has the cache open.
CacheCheck CheckCache(const std::string& dir);

}  // namespace icarus::broker
