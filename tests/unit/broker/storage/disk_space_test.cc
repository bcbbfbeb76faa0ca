#include "broker/storage/disk_space.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace icarus::broker {
namespace {

constexpr std::uint64_t kFuse = 0x65735546;
constexpr char kMountinfo[] =
    "22 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw\n"
    "40 22 0:35 / /home/ada/far rw,nosuid shared:9 - fuse.sshfs ada@host: rw\n"
    "41 22 0:36 / /mnt/usb\\040disk rw - fuseblk /dev/sdb1 rw\n";

TEST(DiskSpace, ADirectoryHasSomeRoomAndAMissingOneIsAnError) {
  const testing::TempDir dir;
  const auto space = ReadDiskSpace(dir.path());
  ASSERT_TRUE(space);
  EXPECT_GT(space->free_bytes, 0u);
  EXPECT_GE(space->total_bytes, space->free_bytes);
  EXPECT_EQ(ReadDiskSpace(dir / "missing").error().code, ErrorCode::kIo);
  EXPECT_EQ(NetworkFileSystem(dir / "missing").error().code, ErrorCode::kIo);
}

TEST(DiskSpace, ALocalDirectoryIsNotOnANetwork) {
  const auto name = NetworkFileSystem("/proc");
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, std::nullopt);
}

TEST(DiskSpace, NetworkFileSystemsAreKnownByTheirMagic) {
  EXPECT_EQ(NetworkFileSystemName(0x6969, ""), "nfs");
  EXPECT_EQ(NetworkFileSystemName(0xff534d42, ""), "cifs");
  EXPECT_EQ(NetworkFileSystemName(0x0bd00bd0, ""), "lustre");
  EXPECT_EQ(NetworkFileSystemName(0xef53, ""), std::nullopt);      // ext4
  EXPECT_EQ(NetworkFileSystemName(0x01021994, ""), std::nullopt);  // tmpfs
}

TEST(DiskSpace, FuseIsJudgedByTheTypeOfTheMount) {
  EXPECT_EQ(NetworkFileSystemName(kFuse, "fuse.sshfs"), "fuse.sshfs");
  EXPECT_EQ(NetworkFileSystemName(kFuse, "fuseblk"), std::nullopt);
  EXPECT_EQ(NetworkFileSystemName(0xef53, "fuse.sshfs"), std::nullopt);
}

TEST(DiskSpace, MountTypesAreFoundByDevice) {
  EXPECT_EQ(MountType(kMountinfo, 8, 1), "ext4");
  EXPECT_EQ(MountType(kMountinfo, 0, 35), "fuse.sshfs");
  EXPECT_EQ(MountType(kMountinfo, 0, 36), "fuseblk");
  EXPECT_EQ(MountType(kMountinfo, 0, 3), "");
  EXPECT_EQ(MountType("", 8, 1), "");
}

}  // namespace
}  // namespace icarus::broker
