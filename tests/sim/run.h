// One seed: a world is drawn, things happen and go wrong in it for a while, then the faults stop and all must settle.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace icarus::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint32_t without = 0;  // a bit a fault that is left out
  bool trace = false;
};

struct RunReport {
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;
  std::uint64_t checks = 0;
  std::uint64_t tasks = 0;
  std::uint64_t hash = 0;
  std::string plan;
  std::vector<std::string> violations;
  std::vector<std::string> trace;
};

RunReport Run(const RunOptions& options);

}  // namespace icarus::sim
