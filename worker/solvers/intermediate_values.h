// What a solver keeps in the result cache for its later runs, on this and on other machines: see limits.h for how much.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace icarus::worker {

// Of one attempt: the namespace is its analysis and its solver's identity, so a key says everything else that the value
// depends on. Used by the thread that runs the solver.
class IntermediateValues {
 public:
  virtual ~IntermediateValues() = default;
  // Of each key its value, or nothing: not there, or not to be had now. Waits for the broker, at most seconds.
  virtual std::vector<std::optional<std::string>> Get(const std::vector<std::string>& keys) = 0;
  // May be lost. `compute_s`: what it took.
  virtual void Put(const std::string& key, std::string value, double compute_s) = 0;
};

}  // namespace icarus::worker
