#include "broker/storage/key_schema.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

namespace icarus::broker {
namespace {

constexpr auto kMaxId = std::numeric_limits<std::uint64_t>::max();

TEST(KeySchema, OrderIsTheOrderOfLoading) {
  const std::vector<std::string> keys{
      MetaKey(),           SettingKey("a"),         SettingKey("z"),          JobKey(JobId(1)),
      StatusKey(JobId(1)), TaskKey({JobId(1), 0}),  TaskKey({JobId(1), 255}), TaskKey({JobId(1), 256}),
      JobKey(JobId(2)),    JobKey(JobId(256)),      StatusKey(JobId(256)),    JobKey(JobId(kMaxId)),
      DispatchKey(0),      DispatchKey(1ull << 40), BodyKey({JobId(1), 0}),   BodyKey({JobId(256), 7}),
  };
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

TEST(KeySchema, RecordRangeHoldsEverythingButBodies) {
  const KeyRange range = RecordRange();
  for (const std::string& key : {MetaKey(), SettingKey("x"), JobKey(JobId(1)), DispatchKey(kMaxId)}) {
    EXPECT_LE(range.first, key);
    EXPECT_LT(key, range.last);
  }
  EXPECT_GE(BodyKey({JobId(0), 0}), range.last);
}

TEST(KeySchema, RangesOfTheLastJobEndBeforeTheNextKind) {
  EXPECT_LT(TaskKey({JobId(kMaxId), 0xffffffff}), JobRange(JobId(kMaxId)).last);
  EXPECT_LE(JobRange(JobId(kMaxId)).last, DispatchKey(0));
  EXPECT_LT(BodyKey({JobId(kMaxId), 0xffffffff}), BodyRange(JobId(kMaxId)).last);
}

TEST(KeySchema, ForeignKeysAreNotParsed) {
  EXPECT_FALSE(ParseKey(""));
  EXPECT_FALSE(
      ParseKey("\x7f"
               "abc"));
  EXPECT_FALSE(ParseKey(MetaKey() + "x"));
  EXPECT_FALSE(ParseKey(JobKey(JobId(1)).substr(0, 8)));
  EXPECT_FALSE(ParseKey(JobKey(JobId(1)) + "x"));
  EXPECT_FALSE(ParseKey(TaskKey({JobId(1), 1}) + "x"));
  EXPECT_FALSE(ParseKey(DispatchKey(1) + "x"));
  EXPECT_FALSE(ParseKey(BodyKey({JobId(1), 1}) + "x"));
}

TEST(KeySchema, KeysAreDescribedForPeople) {
  EXPECT_EQ(DescribeKey(TaskKey({JobId(7), 2})), "the record of task 7.2");
  EXPECT_EQ(DescribeKey(BodyKey({JobId(7), 2})), "the result of task 7.2");
  EXPECT_EQ(DescribeKey(JobKey(JobId(7))), "the record of job 7");
  EXPECT_EQ(DescribeKey(StatusKey(JobId(7))), "the status of job 7");
  EXPECT_EQ(DescribeKey(SettingKey("cache.max_size_mb")), "the setting 'cache.max_size_mb'");
  EXPECT_EQ(DescribeKey(DispatchKey(9)), "the record of dispatch 9");
  EXPECT_EQ(DescribeKey("\x7f\x01"), "the unknown key 7f01");
}

RC_GTEST_PROP(KeySchemaProperty, ByteOrderIsNumericOrder,
              (std::uint64_t a, std::uint64_t b, TaskIndex i, TaskIndex j)) {
  const TaskRef first{JobId(a), i};
  const TaskRef second{JobId(b), j};
  RC_ASSERT((TaskKey(first) < TaskKey(second)) == (first < second));
  RC_ASSERT((BodyKey(first) < BodyKey(second)) == (first < second));
  RC_ASSERT((DispatchKey(a) < DispatchKey(b)) == (a < b));
}

RC_GTEST_PROP(KeySchemaProperty, ARangeHoldsItsJobAlone, (std::uint64_t a, std::uint64_t b, TaskIndex i)) {
  const auto in = [](const KeyRange& range, const std::string& key) { return range.first <= key && key < range.last; };
  const JobId job(a);
  for (const std::string& key : {JobKey(JobId(b)), StatusKey(JobId(b)), TaskKey({JobId(b), i})}) {
    RC_ASSERT(in(JobRange(job), key) == (a == b));
  }
  RC_ASSERT(in(JobRange(job), TaskKey({job, i})));
  RC_ASSERT(in(BodyRange(job), BodyKey({JobId(b), i})) == (a == b));
  RC_ASSERT(in(BodyRange(job), BodyKey({job, i})));
}

RC_GTEST_PROP(KeySchemaProperty, KeysParseBack, (std::uint64_t id, TaskIndex i, std::string name)) {
  const JobId job(id);
  RC_ASSERT(ParseKey(MetaKey()) == (StoreKey{KeyKind::kMeta, {}, 0, 0, 0, {}}));
  RC_ASSERT(ParseKey(SettingKey(name)) == (StoreKey{KeyKind::kSetting, {}, 0, 0, 0, name}));
  RC_ASSERT(ParseKey(JobKey(job)) == (StoreKey{KeyKind::kJob, job, 0, 0, 0, {}}));
  RC_ASSERT(ParseKey(StatusKey(job)) == (StoreKey{KeyKind::kStatus, job, 0, 0, 0, {}}));
  RC_ASSERT(ParseKey(TaskKey({job, i})) == (StoreKey{KeyKind::kTask, job, i, 0, 0, {}}));
  RC_ASSERT(ParseKey(DispatchKey(id)) == (StoreKey{KeyKind::kDispatch, {}, 0, id, 0, {}}));
  RC_ASSERT(ParseKey(EventsKey(id)) == (StoreKey{KeyKind::kEvents, {}, 0, 0, id, {}}));
  RC_ASSERT(ParseKey(BodyKey({job, i})) == (StoreKey{KeyKind::kBody, job, i, 0, 0, {}}));
}

}  // namespace
}  // namespace icarus::broker
