#include "broker/storage/high_water.h"

#include <gtest/gtest.h>

#include <fstream>

#include "common/base/files.h"
#include "tests/support/temp_dir.h"

namespace icarus::broker {
namespace {

class HighWaterTest : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  const std::string path_ = dir_ / "highwater";
};

TEST_F(HighWaterTest, TheLastMarkIsRead) {
  EXPECT_EQ(*HighWater::Read(path_), std::nullopt);
  auto mark = HighWater::Open(path_);
  ASSERT_TRUE(mark);
  ASSERT_TRUE(mark->Write({"abc", 3, 1'000'000}));
  ASSERT_TRUE(mark->Write({"abc", 4, 7}));
  EXPECT_EQ(*HighWater::Read(path_), (StorePosition{"abc", 4, 7}));
}

TEST_F(HighWaterTest, OpeningKeepsTheMark) {
  ASSERT_TRUE(HighWater::Open(path_)->Write({"abc", 3, 9}));
  ASSERT_TRUE(HighWater::Open(path_));
  EXPECT_EQ(*HighWater::Read(path_), (StorePosition{"abc", 3, 9}));
}

TEST_F(HighWaterTest, WhatIsNoMarkIsNone) {
  ASSERT_TRUE(HighWater::Open(path_)->Write({"abc", 3, 9}));
  std::string text = *ReadFile(path_, 4096);
  for (const std::size_t at : {std::size_t{0}, std::size_t{10}, text.size() - 3}) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(path_) << damaged;
    EXPECT_EQ(*HighWater::Read(path_), std::nullopt) << at;
  }
  std::ofstream(path_) << text.substr(0, text.size() / 2);
  EXPECT_EQ(*HighWater::Read(path_), std::nullopt);
  std::ofstream(path_) << "";
  EXPECT_EQ(*HighWater::Read(path_), std::nullopt);
}

}  // namespace
}  // namespace icarus::broker
