// The file system under a directory: how much room it has, and whether other machines share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace icarus::broker {

struct DiskSpace {
  std::uint64_t free_bytes = 0;  // that this user may still write
  std::uint64_t total_bytes = 0;
};
Result<DiskSpace> ReadDiskSpace(const std::string& dir);

// "nfs", "fuse.sshfs" and the like when the directory lies on a network file system, on which locks and syncs cannot be
// relied upon; nullopt when it does not. The directory must exist.
Result<std::optional<std::string>> NetworkFileSystem(const std::string& dir);

// The two rules behind it, pure. `magic` is f_type of statfs(2); `mount_type` the type of the mount, looked at only
// when the magic is that of FUSE.
std::optional<std::string> NetworkFileSystemName(std::uint64_t magic, std::string_view mount_type);
// The type of the mount with this device number in the text of /proc/self/mountinfo (proc(5)); empty: none.
std::string MountType(std::string_view mountinfo, unsigned major, unsigned minor);

}  // namespace icarus::broker
