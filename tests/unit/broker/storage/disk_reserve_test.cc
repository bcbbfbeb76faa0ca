// The reserve on a disk with room and on one without. What is free is told to it by where the limit lies.
#include "broker/storage/disk_reserve.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "broker/storage/rocksdb_job_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_records.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBytes = 1u << 20;
constexpr std::uint64_t kNeverEnough = std::numeric_limits<std::uint64_t>::max() / 4;

TEST(DiskReserve, IsMadeOfRealRoomWhereThereIsRoom) {
  const testing::TempDir dir;
  DiskReserve reserve(dir.path(), kBytes, 0);
  EXPECT_FALSE(reserve.held());
  reserve.Review();
  EXPECT_TRUE(reserve.held());
  EXPECT_EQ(fs::file_size(dir / "reserve"), kBytes);
  EXPECT_TRUE(DiskReserve(dir.path(), kBytes, 0).held()) << "one that is there is found";
}

TEST(DiskReserve, IsGivenUpWhenTheDiskIsFullAndMadeAgainWhenItIsNot) {
  const testing::TempDir dir;
  DiskReserve(dir.path(), kBytes, 0).Review();
  DiskReserve full(dir.path(), kBytes, kNeverEnough);
  full.Review();
  EXPECT_FALSE(full.held());
  EXPECT_FALSE(fs::exists(dir / "reserve"));
  full.Review();
  EXPECT_FALSE(fs::exists(dir / "reserve"));
  DiskReserve(dir.path(), kBytes, 0).Review();
  EXPECT_TRUE(fs::exists(dir / "reserve"));
}

TEST(DiskReserve, OneThatIsNotWholeIsMadeAnew) {
  const testing::TempDir dir;
  DiskReserve(dir.path(), kBytes / 2, 0).Review();
  DiskReserve reserve(dir.path(), kBytes, 0);
  EXPECT_FALSE(reserve.held());
  reserve.Review();
  EXPECT_EQ(fs::file_size(dir / "reserve"), kBytes);
}

TEST(DiskReserve, NoneIsWantedByDefault) {
  const testing::TempDir dir;
  const auto store = OpenStore(dir / "store");
  EXPECT_EQ(store->ReviewSpace(), "");
  EXPECT_FALSE(fs::exists(dir / "store/reserve"));
}

TEST(DiskReserve, TheStoreHasOneAndReopensWithIt) {
  const testing::TempDir dir;
  JobStoreOptions options;
  options.min_free_bytes = 0;
  options.reserve_bytes = kBytes;
  for (std::uint64_t round = 1; round <= 2; ++round) {
    const auto store = RocksDbJobStore::Open(dir / "store", options);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->ReviewSpace(), "");
    EXPECT_TRUE((*store)->Commit({round, 0, {MakeJob(round)}}));
    EXPECT_TRUE(fs::exists(dir / "store/reserve"));
  }
}

}  // namespace
}  // namespace icarus::broker
