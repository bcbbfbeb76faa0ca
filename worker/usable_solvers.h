// What this worker tells the broker of its solvers.
#pragma once

#include <map>
#include <string>

namespace icarus::worker {

struct UsableSolvers {
  std::map<std::string, std::string> usable;    // name → identity
  std::map<std::string, std::string> unusable;  // name → why
};

// Looks for them all, with their self-tests (tenths of a second), and logs what cannot be used.
UsableSolvers FindSolvers();

}  // namespace icarus::worker
