// The cache's index: bounds, expiry, and which entry goes; against a simple model of the same rules.
#include "broker/core/cache_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace icarus::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ContentHash Key(std::uint64_t number) { return HashBytes(std::to_string(number)); }

CacheEntry Entry(std::uint64_t size, double compute_s = 0.01, std::int64_t expires_at_ms = 0) {
  CacheEntry entry;
  entry.size_bytes = size;
  entry.compute_s = compute_s;
  entry.expires_at_ms = expires_at_ms;
  return entry;
}

class CacheIndexTest : public ::testing::Test {
 protected:
  std::vector<ContentHash> Put(std::uint64_t key, const CacheEntry& entry) {
    std::vector<ContentHash> removed;
    index_.Put(Key(key), entry, removed);
    return removed;
  }
  bool Hit(std::uint64_t key, std::int64_t wall_ms = 0) {
    std::vector<ContentHash> expired;
    return index_.Lookup(Key(key), wall_ms, expired) != nullptr;
  }
  CacheIndex index_;
};

TEST_F(CacheIndexTest, TheOldestOfEqualCostGoes) {
  index_.SetLimits(1u << 20, 5);
  for (std::uint64_t key = 0; key < 5; ++key) Put(key, Entry(400 + key, 0.001 * static_cast<double>(key + 1)));
  EXPECT_THAT(Put(5, Entry(400)), ElementsAre(Key(0)));
  EXPECT_EQ(index_.counters.evictions, 1u);
  EXPECT_TRUE(Hit(1));
  EXPECT_THAT(Put(6, Entry(400)), ElementsAre(Key(2))) << "1 was used";
}

TEST_F(CacheIndexTest, WhatIsDearToComputeStaysLongerButNotForEver) {
  index_.SetLimits(1u << 20, 3);
  Put(0, Entry(400, 64));
  for (std::uint64_t key = 1; key < 20; ++key) Put(key, Entry(400));
  EXPECT_TRUE(index_.Contains(Key(0), 0));
  for (std::uint64_t key = 20; key < 400; ++key) Put(key, Entry(400));
  EXPECT_FALSE(index_.Contains(Key(0), 0)) << "nobody has used it";
}

TEST_F(CacheIndexTest, WhatTakesMuchRoomForItsCostGoesFirst) {
  index_.SetLimits(10u << 20, 100);
  Put(0, Entry(400));
  Put(1, Entry(8u << 20));
  EXPECT_THAT(Put(2, Entry(4u << 20)), ElementsAre(Key(1)));
}

TEST_F(CacheIndexTest, WhatIsLargerThanTheCacheIsRefusedAndNothingGoes) {
  index_.SetLimits(1000, 5);
  Put(0, Entry(900));
  EXPECT_THAT(Put(1, Entry(1001)), IsEmpty());
  EXPECT_FALSE(index_.Contains(Key(1), 0));
  EXPECT_TRUE(index_.Contains(Key(0), 0));
  EXPECT_EQ(index_.counters.refused, 1u);
}

TEST_F(CacheIndexTest, AnExpiredEntryIsAMissCountedOnceAndTakenInTheBackground) {
  Put(0, Entry(10, 1, 1'000));
  Put(1, Entry(10, 1, 2'000));
  EXPECT_EQ(index_.NextExpiry(), 1'000);
  EXPECT_TRUE(Hit(0, 999));
  EXPECT_FALSE(Hit(0, 1'000));
  EXPECT_THAT(index_.TakeExpired(1'999, 10), IsEmpty());
  EXPECT_THAT(index_.TakeExpired(2'000, 10), ElementsAre(Key(1)));
  EXPECT_EQ(index_.counters.expirations, 2u);
  EXPECT_EQ(index_.entries(), 0u);
  EXPECT_EQ(index_.bytes(), 0u);
}

TEST_F(CacheIndexTest, SmallerLimitsTakeEffectAtOnce) {
  for (std::uint64_t key = 0; key < 10; ++key) Put(key, Entry(100));
  index_.SetLimits(350, 100);
  EXPECT_THAT(index_.Shrink(), SizeIs(7));
  EXPECT_TRUE(index_.Contains(Key(9), 0));
}

// The rules once more, told as plainly as they can be.
struct Model {
  struct Item {
    CacheEntry entry;
    double credit = 0;
    std::uint64_t used = 0;
  };
  std::map<ContentHash, Item> items;
  std::uint64_t max_bytes = 0, max_entries = 0, clock = 0, evictions = 0, expirations = 0;
  double gone = 0;

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [key, item] : items) sum += item.entry.size_bytes;
    return sum;
  }
  void Evict() {
    auto worst = items.begin();
    for (auto it = items.begin(); it != items.end(); ++it) {
      if (std::tie(it->second.credit, it->second.used) < std::tie(worst->second.credit, worst->second.used)) worst = it;
    }
    gone = std::max(gone, worst->second.credit);
    items.erase(worst);
    ++evictions;
  }
  void Shrink() {
    while (bytes() > max_bytes || items.size() > max_entries) Evict();
  }
  void Put(const ContentHash& key, const CacheEntry& entry) {
    if (entry.size_bytes > max_bytes || max_entries == 0) return;
    ++clock;
    items.erase(key);
    while (bytes() + entry.size_bytes > max_bytes || items.size() + 1 > max_entries) Evict();
    items[key] = {entry, gone + CacheIndex::WeightOf(entry), clock};
  }
  bool Get(const ContentHash& key, std::int64_t now) {
    const auto it = items.find(key);
    if (it == items.end()) return false;
    if (it->second.entry.expires_at_ms != 0 && it->second.entry.expires_at_ms <= now) {
      ++expirations;
      items.erase(it);
      return false;
    }
    it->second.used = ++clock;
    it->second.credit = gone + CacheIndex::WeightOf(it->second.entry);
    return true;
  }
  void Expire(std::int64_t now) {
    expirations += std::erase_if(items, [&](const auto& item) {
      return item.second.entry.expires_at_ms != 0 && item.second.entry.expires_at_ms <= now;
    });
  }
};

void CheckEqual(const CacheIndex& index, const Model& model) {
  RC_ASSERT(index.entries() == model.items.size());
  RC_ASSERT(index.bytes() == model.bytes());
  RC_ASSERT(index.bytes() <= index.max_bytes() && index.entries() <= index.max_entries());
  RC_ASSERT(index.counters.evictions == model.evictions);
  RC_ASSERT(index.counters.expirations == model.expirations);
  for (const auto& [key, item] : model.items) RC_ASSERT(index.Contains(key, -1));
}

void PlayHistory() {
  CacheIndex index;
  Model model;
  model.max_bytes = *rc::gen::inRange<std::uint64_t>(100, 400'000);
  model.max_entries = *rc::gen::inRange<std::uint64_t>(1, 12);
  index.SetLimits(model.max_bytes, model.max_entries);
  std::int64_t now = 0;
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    const ContentHash key = Key(*rc::gen::inRange<std::uint64_t>(0, 16));
    std::vector<ContentHash> gone;
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
        now += *rc::gen::inRange(1, 400);
        index.TakeExpired(now, 1000);
        model.Expire(now);
        break;
      case 1: RC_ASSERT(index.Remove(key) == (model.items.erase(key) == 1)); break;
      case 2:
        if (*rc::gen::inRange(0, 10) > 0) break;
        RC_ASSERT(index.Clear() == model.items.size());
        model.items.clear();
        break;
      case 3:
        model.max_entries = *rc::gen::inRange<std::uint64_t>(1, 12);
        index.SetLimits(model.max_bytes, model.max_entries);
        index.Shrink();
        model.Shrink();
        break;
      case 4:
      case 5:
      case 6: RC_ASSERT((index.Lookup(key, now, gone) != nullptr) == model.Get(key, now)); break;
      default: {
        const double cost = *rc::gen::element(0.001, 0.5, 3.0, 100.0);
        const std::int64_t expires = *rc::gen::element<std::int64_t>(0, 0, now + 100, now + 1000);
        const CacheEntry entry = Entry(*rc::gen::inRange<std::uint64_t>(1, 200'000), cost, expires);
        index.Put(key, entry, gone);
        model.Put(key, entry);
      }
    }
    CheckEqual(index, model);
  }
}

RC_GTEST_PROP(CacheIndexProperty, DoesWhatTheModelDoes, ()) {
  for (int history = 0; history < 100; ++history) PlayHistory();
}

}  // namespace
}  // namespace icarus::broker
