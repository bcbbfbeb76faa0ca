#include "common/config/host.h"

#include <unistd.h>

#include <array>

#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus {

HostIdentity ThisHost() {
  HostIdentity host;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) host.name = name.data();
  if (const auto boot_id = ReadFile("/proc/sys/kernel/random/boot_id", 4096)) host.boot_id = Trim(*boot_id);
  return host;
}

}  // namespace icarus
