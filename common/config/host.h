// Which machine this is.
#pragma once

#include <string>

namespace icarus {

struct HostIdentity {
  std::string name;     // gethostname(2)
  std::string boot_id;  // of the running kernel; "" when /proc does not tell

  // The same boot is the same machine, whatever its containers call themselves.
  bool SameMachine(const HostIdentity& other) const {
    return boot_id.empty() || other.boot_id.empty() ? name == other.name : boot_id == other.boot_id;
  }
};

HostIdentity ThisHost();

}  // namespace icarus
