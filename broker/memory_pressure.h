// Whether this machine is short of memory, so that what is only convenient is given back.
#pragma once

#include <optional>

namespace icarus::broker {

// Of the machine's memory that is in use, by the kernel's account of what programs could still get (proc(5), meminfo,
// MemAvailable); nothing: it cannot be read.
std::optional<double> MemoryInUsePercent();

// Short above the limit, and until it is `resume_below` under it: what is given back must not be taken again at once.
class MemoryPressure {
 public:
  // True when it has changed.
  bool Update(double in_use_percent, double limit_percent, double resume_below_percent);
  bool is_short() const { return short_; }

 private:
  bool short_ = false;
};

}  // namespace icarus::broker
