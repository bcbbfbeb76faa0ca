#include "broker/storage/disk_space.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>

#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus::broker {
namespace {

constexpr std::uint64_t kFuseMagic = 0x65735546;
constexpr std::uint64_t kMaxMountinfoBytes = 4u << 20;

struct NetworkMagic {
  std::uint64_t magic;
  const char* name;
};

// f_type values: statfs(2), linux/magic.h, and for those outside the kernel their own sources.
constexpr std::array kNetworkMagics{
    NetworkMagic{0x6969, "nfs"},       NetworkMagic{0x517b, "smb"},        NetworkMagic{0xff534d42, "cifs"},
    NetworkMagic{0xfe534d42, "smb2"},  NetworkMagic{0x0bd00bd0, "lustre"}, NetworkMagic{0x47504653, "gpfs"},
    NetworkMagic{0x00c36400, "ceph"},  NetworkMagic{0x5346414f, "afs"},    NetworkMagic{0x6b414653, "afs"},
    NetworkMagic{0x73757245, "coda"},  NetworkMagic{0x01021997, "9p"},     NetworkMagic{0x19830326, "beegfs"},
    NetworkMagic{0x7461636f, "ocfs2"}, NetworkMagic{0x01161970, "gfs2"},   NetworkMagic{0x20030528, "orangefs"},
    NetworkMagic{0xaad7aaea, "panfs"},
};

// FUSE serves local disks too (ntfs-3g, overlays, encryption): these are the ones that do not.
constexpr std::array<std::string_view, 12> kNetworkFuseTypes{
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph",     "fuse.ceph-fuse", "fuse.s3fs", "fuse.rclone",
    "fuse.davfs", "fuse.curlftpfs", "fuse.smbnetfs", "fuse.moosefs",   "fuse.mfs",  "fuse.juicefs"};

}  // namespace

Result<DiskSpace> ReadDiskSpace(const std::string& dir) {
  struct statvfs info {};
  if (::statvfs(dir.c_str(), &info) != 0) return ErrnoError("cannot read the free space of " + dir, errno);
  return DiskSpace{static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize,
                   static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize};
}

std::optional<std::string> NetworkFileSystemName(std::uint64_t magic, std::string_view mount_type) {
  for (const NetworkMagic& known : kNetworkMagics) {
    if (known.magic == magic) return known.name;
  }
  if (magic != kFuseMagic) return std::nullopt;
  for (const std::string_view known : kNetworkFuseTypes) {
    if (known == mount_type) return std::string(known);
  }
  return std::nullopt;
}

// A line: "36 35 98:0 /root /mount rw,noatime master:1 - ext4 /dev/root rw"; the fields before the hyphen vary in
// number.
std::string MountType(std::string_view mountinfo, unsigned major, unsigned minor) {
  const std::string device = std::to_string(major) + ":" + std::to_string(minor);
  for (const std::string& line : Split(mountinfo, '\n')) {
    const std::vector<std::string> fields = Split(line, ' ');
    if (fields.size() < 3 || fields[2] != device) continue;
    for (std::size_t i = 3; i + 1 < fields.size(); ++i) {
      if (fields[i] == "-") return fields[i + 1];
    }
  }
  return {};
}

Result<std::optional<std::string>> NetworkFileSystem(const std::string& dir) {
  struct statfs info {};
  struct stat file {};
  if (::statfs(dir.c_str(), &info) != 0 || ::stat(dir.c_str(), &file) != 0) {
    return ErrnoError("cannot read the file system of " + dir, errno);
  }
  // f_type is signed on some machines; the magics have 32 bits.
  const auto magic = static_cast<std::uint64_t>(info.f_type) & 0xffffffff;
  std::string type;
  if (magic == kFuseMagic) {
    ICARUS_ASSIGN(const std::string mounts, ReadFile("/proc/self/mountinfo", kMaxMountinfoBytes));
    type = MountType(mounts, major(file.st_dev), minor(file.st_dev));
  }
  return NetworkFileSystemName(magic, type);
}

}  // namespace icarus::broker
