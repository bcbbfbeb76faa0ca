#include "worker/net/blob_cache.h"

#include <gtest/gtest.h>

#include "common/base/files.h"
#include "tests/support/temp_dir.h"

namespace icarus::worker {
namespace {

class BlobCacheTest : public ::testing::Test {
 protected:
  BlobCache Open(std::uint64_t max_bytes = 100) {
    auto cache = BlobCache::Open(dir_ / "blobs", max_bytes);
    EXPECT_TRUE(cache.has_value());
    return std::move(*cache);
  }
  ContentHash Put(BlobCache& cache, const std::string& content, const Now& now) {
    const ContentHash hash = HashBytes(content);
    EXPECT_TRUE(WriteFileAtomically(cache.PathOf(hash), content, 0600));
    cache.Added(hash, content.size(), now);
    return hash;
  }
  static Now At(std::int64_t ms) { return Now{Milliseconds(ms), 0}; }

  icarus::testing::TempDir dir_;
};

TEST_F(BlobCacheTest, KnowsWhatWasAddedAlsoInTheNextProcess) {
  BlobCache cache = Open();
  const ContentHash hash = Put(cache, "abc", At(1));
  EXPECT_TRUE(cache.Use(hash, At(2)));
  EXPECT_FALSE(cache.Use(HashBytes("other"), At(2)));
  ASSERT_TRUE(WriteFileAtomically(cache.PathOf(hash) + ".part", "half", 0600));
  BlobCache next = Open();
  EXPECT_TRUE(next.Use(hash, At(3)));
  EXPECT_FALSE(PathExists(next.PathOf(hash) + ".part")) << "a file that never became complete";
}

TEST_F(BlobCacheTest, TheLeastRecentlyUsedGoesWhenThereIsTooMuch) {
  BlobCache cache = Open();
  const ContentHash first = Put(cache, std::string(40, 'a'), At(1));
  const ContentHash second = Put(cache, std::string(40, 'b'), At(2));
  EXPECT_TRUE(cache.Use(first, At(700'000)));
  const ContentHash third = Put(cache, std::string(40, 'c'), At(700'001));
  EXPECT_FALSE(cache.Use(second, At(700'002)));
  EXPECT_FALSE(PathExists(cache.PathOf(second)));
  EXPECT_TRUE(cache.Use(first, At(700'002)));
  EXPECT_TRUE(cache.Use(third, At(700'002)));
}

TEST_F(BlobCacheTest, WhatWasUsedJustNowStays) {
  BlobCache cache = Open();
  const ContentHash first = Put(cache, std::string(80, 'a'), At(1'000));
  const ContentHash second = Put(cache, std::string(80, 'b'), At(2'000));
  EXPECT_TRUE(cache.Use(first, At(3'000)));
  EXPECT_TRUE(cache.Use(second, At(3'000)));
}

TEST_F(BlobCacheTest, AFileRemovedBehindItsBackIsNotThere) {
  BlobCache cache = Open();
  const ContentHash hash = Put(cache, "abc", At(1));
  ASSERT_TRUE(RemoveTree(cache.PathOf(hash)));
  EXPECT_FALSE(cache.Use(hash, At(2)));
}

}  // namespace
}  // namespace icarus::worker
