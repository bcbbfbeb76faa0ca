// The write-ahead log as we read it, against RocksDB's own.
#include "broker/storage/log_file.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

constexpr std::size_t kBlock = 32768;

// A log that RocksDB wrote: a put a record, with values of these sizes.
std::string WriteLog(const std::vector<std::size_t>& sizes) {
  const testing::TempDir dir;
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  EXPECT_TRUE(rocksdb::DB::Open(options, dir / "db", &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_TRUE(db->Put(rocksdb::WriteOptions(), "k", Noise(i, sizes[i])).ok());
  }
  return ReadAll(FileLike(dir / "db", "", ".log"));
}

struct Read {
  std::vector<std::size_t> before;  // sizes of the values
  std::vector<std::size_t> after;   // damage
  std::optional<LogDamage> damage;
};
Read ReadBack(std::string_view log) {
  Read read;
  read.damage = ReadLog(log, [&read](std::string_view record, bool after_damage) {
    // header (12), type, key length, key, value length (1 to 4), value
    std::size_t at = 15;
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(record[at++]);
      size |= static_cast<std::size_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    EXPECT_EQ(record.size(), at + size);
    (after_damage ? read.after : read.before).push_back(size);
  });
  return read;
}

using Sizes = std::vector<std::size_t>;

TEST(LogFile, ChecksumsAreThoseOfTheStandard) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(LogFile, WhatRocksDbWroteIsReadWhateverItsSize) {
  Sizes sizes{0, 1, 100, 32000, kBlock, 3 * kBlock, 5};
  for (std::size_t left = 20; left < 60; ++left) sizes.push_back(kBlock - left);  // every way to end near a block's end
  const Read read = ReadBack(WriteLog(sizes));
  EXPECT_FALSE(read.damage);
  EXPECT_EQ(read.before, sizes);
}

TEST(LogFile, AnEmptyLogAndZerosBehindTheLastRecordAreWhole) {
  EXPECT_FALSE(ReadBack("").damage);
  const Read read = ReadBack(WriteLog({10, 20}) + std::string(3 * kBlock, '\0'));
  EXPECT_FALSE(read.damage);
  EXPECT_EQ(read.before, (Sizes{10, 20}));
}

TEST(LogFile, ACutAtAnyByteIsATornTailThatNothingFollows) {
  const std::string log = WriteLog({30, 30, 30});
  const std::size_t record = log.size() / 3;
  for (std::size_t size = 0; size < log.size(); ++size) {
    const Read read = ReadBack(std::string_view(log).substr(0, size));
    EXPECT_EQ(read.before.size(), size / record) << size;
    EXPECT_EQ(read.damage.has_value(), size % record != 0) << size;
    if (!read.damage) continue;
    EXPECT_EQ(read.damage->offset, size / record * record);
    EXPECT_FALSE(read.damage->followed);
  }
}

TEST(LogFile, AFlippedBitAnywhereIsFound) {
  const std::string log = WriteLog({30, 30, 30});
  const std::size_t record = log.size() / 3;
  for (std::size_t at = 0; at < log.size(); ++at) {
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const Read read = ReadBack(damaged);
    ASSERT_TRUE(read.damage) << at;
    EXPECT_EQ(read.damage->followed, at < 2 * record) << at;
    EXPECT_EQ(read.before.size(), at / record) << at;
    EXPECT_EQ(read.before.size() + read.after.size(), 2u) << at;
  }
}

// RocksDB's own recovery steps over this in silence: a block of zeros is taken for room that was not used.
TEST(LogFile, ABlockOfZerosBetweenRecordsIsDamage) {
  const std::string log = WriteLog({kBlock - 25, kBlock - 25, kBlock - 25});
  ASSERT_EQ(log.size(), 3 * kBlock);
  std::string damaged = log;
  std::fill_n(damaged.begin() + kBlock, kBlock, '\0');
  const Read read = ReadBack(damaged);
  ASSERT_TRUE(read.damage);
  EXPECT_EQ(read.damage->offset, kBlock);
  EXPECT_TRUE(read.damage->followed);
}

// The parts of one write may reach the disk in any order.
TEST(LogFile, TheLaterPartsOfTheRecordThatIsDamagedDoNotFollowIt) {
  std::string log = WriteLog({30, 3 * kBlock});
  std::string torn = log;
  torn[200] = static_cast<char>(torn[200] ^ 1);
  EXPECT_FALSE(ReadBack(torn).damage->followed);
  std::string followed = WriteLog({30, 3 * kBlock, 30});
  followed[200] = static_cast<char>(followed[200] ^ 1);
  EXPECT_TRUE(ReadBack(followed).damage->followed);
}

}  // namespace
}  // namespace icarus::broker
