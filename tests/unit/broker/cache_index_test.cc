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
  std::vector<ContentHash> Put(std::uint64_t key, CacheEntry entry) {
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

TEST_F(CacheIndexTest, AfterARestartTheOldestStillGoesFirst) {
  std::map<ContentHash, CacheEntry> stored;
  for (std::uint64_t key = 0; key < 5; ++key) {
    std::vector<ContentHash> removed;
    CacheEntry entry = Entry(400);
    index_.Put(Key(key), entry, removed);
    stored[Key(key)] = entry;
  }
  index_ = CacheIndex();
  index_.SetLimits(1u << 20, 5);
  for (const auto& [key, entry] : stored) index_.Load(key, entry);
  EXPECT_THAT(index_.FinishLoading(), IsEmpty());
  for (std::uint64_t key = 5; key < 10; ++key) EXPECT_THAT(Put(key, Entry(400)), ElementsAre(Key(key - 5)));
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
  // What a store kept; nothing has gone yet.
  void Restart(const std::map<ContentHash, CacheEntry>& kept) {
    items.clear();
    gone = 0;
    clock = 0;
    for (const auto& [key, entry] : kept) {
      items[key] = {entry, CacheIndex::WeightOf(entry), entry.last_used};
      clock = std::max(clock, entry.last_used);
    }
    Shrink();
  }
  void Expire(std::int64_t now) {
    expirations += std::erase_if(items, [&](const auto& item) {
      return item.second.entry.expires_at_ms != 0 && item.second.entry.expires_at_ms <= now;
    });
  }
};

// What the broker keeps of its index: the changes in their order, of which a crash may lose the last.
class Store {
 public:
  void Put(const ContentHash& key, const CacheEntry& entry) {
    changes_.push_back([=](Entries& entries) { entries[key] = entry; });
  }
  void Use(const ContentHash& key, std::uint64_t last_used) {
    changes_.push_back([=](Entries& entries) {
      if (const auto found = entries.find(key); found != entries.end()) found->second.last_used = last_used;
    });
  }
  void Remove(const std::vector<ContentHash>& keys) {
    changes_.push_back([=](Entries& entries) {
      for (const ContentHash& key : keys) entries.erase(key);
    });
  }
  void Clear() {
    changes_.push_back([](Entries& entries) { entries.clear(); });
  }
  const std::map<ContentHash, CacheEntry>& Keep(std::size_t most) {
    for (std::size_t i = 0; i < std::min(most, changes_.size()); ++i) changes_[i](kept_);
    changes_.clear();
    return kept_;
  }
  std::size_t changes() const { return changes_.size(); }

 private:
  using Entries = std::map<ContentHash, CacheEntry>;
  Entries kept_;
  std::vector<std::function<void(Entries&)>> changes_;
};

void CheckEqual(const CacheIndex& index, const Model& model) {
  RC_ASSERT(index.entries() == model.items.size());
  RC_ASSERT(index.bytes() == model.bytes());
  RC_ASSERT(index.bytes() <= index.max_bytes() && index.entries() <= index.max_entries());
  const std::optional<std::int64_t> next = index.NextExpiry();
  for (const auto& [key, item] : model.items) {
    RC_ASSERT(index.Contains(key, -1));
    RC_ASSERT(item.entry.expires_at_ms == 0 || (next && *next <= item.entry.expires_at_ms));
  }
  RC_ASSERT(index.counters.evictions == model.evictions);
  RC_ASSERT(index.counters.expirations == model.expirations);
}

class History {
 public:
  History() {
    model_.max_bytes = *rc::gen::inRange<std::uint64_t>(100, 400'000);
    model_.max_entries = *rc::gen::inRange<std::uint64_t>(1, 12);
    index_.SetLimits(model_.max_bytes, model_.max_entries);
  }

  void Play() {
    for (int steps = *rc::gen::inRange(1, 60); steps > 0; --steps) {
      Step(Key(*rc::gen::inRange<std::uint64_t>(0, 16)));
      CheckEqual(index_, model_);
    }
  }

 private:
  void Step(const ContentHash& key) {
    switch (*rc::gen::inRange(0, 12)) {
      case 0:
        now_ += *rc::gen::inRange(1, 400);
        store_.Remove(index_.TakeExpired(now_, 1000));
        return model_.Expire(now_);
      case 1: RC_ASSERT(index_.Remove(key) == (model_.items.erase(key) == 1)); return store_.Remove({key});
      case 2: return *rc::gen::inRange(0, 4) > 0 ? Restart() : Clear();
      case 3:
        model_.max_entries = *rc::gen::inRange<std::uint64_t>(1, 12);
        index_.SetLimits(model_.max_bytes, model_.max_entries);
        store_.Remove(index_.Shrink());
        return model_.Shrink();
      case 4:
      case 5:
      case 6: return Get(key);
      default: Put(key);
    }
  }
  void Get(const ContentHash& key) {
    std::vector<ContentHash> expired;
    const CacheEntry* found = index_.Lookup(key, now_, expired);
    RC_ASSERT((found != nullptr) == model_.Get(key, now_));
    if (found != nullptr) RC_ASSERT(found->last_used == model_.items.at(key).used);
    if (found != nullptr) store_.Use(key, found->last_used);
    store_.Remove(expired);
  }
  void Put(const ContentHash& key) {
    const double cost = *rc::gen::element(0.001, 0.5, 3.0, 100.0);
    const std::int64_t expires = *rc::gen::element<std::int64_t>(0, 0, now_ + 100, now_ + 1000);
    CacheEntry entry = Entry(*rc::gen::inRange<std::uint64_t>(1, 200'000), cost, expires);
    model_.Put(key, entry);
    std::vector<ContentHash> removed;
    if (index_.Put(key, entry, removed)) store_.Put(key, entry);
    store_.Remove(removed);
  }
  void Clear() {
    RC_ASSERT(index_.Clear() == model_.items.size());
    model_.items.clear();
    store_.Clear();
  }
  // Orderly, or a crash that loses what was not written yet.
  void Restart() {
    const bool crash = *rc::gen::inRange(0, 2) == 1;
    const std::size_t kept = crash ? *rc::gen::inRange<std::size_t>(0, store_.changes() + 1) : store_.changes();
    const auto& entries = store_.Keep(kept);
    const CacheCounters counters = index_.counters;
    index_ = CacheIndex();
    index_.counters = counters;
    index_.SetLimits(model_.max_bytes, model_.max_entries);
    for (const auto& [key, entry] : entries) index_.Load(key, entry);
    store_.Remove(index_.FinishLoading());
    model_.Restart(entries);
  }

  CacheIndex index_;
  Model model_;
  Store store_;
  std::int64_t now_ = 0;
};

RC_GTEST_PROP(CacheIndexProperty, DoesWhatTheModelDoes, ()) {
  for (int history = 0; history < 100; ++history) History().Play();
}

}  // namespace
}  // namespace icarus::broker
