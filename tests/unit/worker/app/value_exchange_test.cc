#include "worker/value_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ValueExchangeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    exchange_.Begin(1, ExecutionId(100), "panel", CachePolicy::kDefault);
    exchange_.OnUp();
  }
  // What the broker answers to the last question: the values it has, and −1 for those that it has not.
  void Reply(const std::vector<std::optional<std::string>>& values, std::int64_t expires_at_ms = 0) {
    GetValuesReply reply;
    Message message{sent_.back().correlation, {}, {}};
    for (const auto& value : values) {
      reply.at.push_back(value ? static_cast<std::int32_t>(message.bodies.size()) : -1);
      reply.expires_at_ms.push_back(expires_at_ms);
      if (value) message.bodies.push_back(std::make_shared<const std::string>(*value));
    }
    message.payload = std::move(reply);
    EXPECT_TRUE(exchange_.OnMessage(message, now_));
  }
  std::vector<std::string> Answered() {
    std::vector<std::string> all;
    for (const std::int32_t at : answers_.back().at)
      all.push_back(at < 0 ? "-" : answers_.back().values[static_cast<std::size_t>(at)]);
    return all;
  }
  void Later(std::int64_t ms) {
    now_.monotonic += Milliseconds(ms);
    now_.wall_ms += ms;
  }

  std::vector<Message> sent_;
  std::vector<ValueAnswer> answers_;
  ValueExchange exchange_{{[this](Message message) { sent_.push_back(std::move(message)); },
                           [this](const ValueAnswer& answer) { answers_.push_back(answer); }}};
  Now now_ = ReadClocks();
};

TEST_F(ValueExchangeTest, TheBrokerIsAskedOnceAndOnlyForWhatIsNotNear) {
  exchange_.OnAsk({1, {"a", "b"}}, now_);
  EXPECT_THAT(answers_, IsEmpty());
  Reply({"A", std::nullopt});
  EXPECT_THAT(Answered(), ElementsAre("A", "-"));
  exchange_.OnAsk({1, {"b", "a"}}, now_);
  EXPECT_THAT(sent_.back().payload.get<GetValues>().keys, ElementsAre("b"));
  Reply({"B"});
  EXPECT_THAT(Answered(), ElementsAre("B", "A"));
  exchange_.OnAsk({1, {"a", "b"}}, now_);
  EXPECT_THAT(sent_, SizeIs(2));
  EXPECT_THAT(Answered(), ElementsAre("A", "B"));
}

TEST_F(ValueExchangeTest, WhatIsNearGoesWithItsExpiryWithTimeAndWithTheGeneration) {
  const auto is_near = [&] {
    const std::size_t before = sent_.size();
    exchange_.OnAsk({1, {"a"}}, now_);
    return sent_.size() == before;
  };
  exchange_.OnGeneration(5);
  EXPECT_FALSE(is_near());
  Reply({"A"}, now_.wall_ms + 1000);
  EXPECT_TRUE(is_near());
  exchange_.OnGeneration(5);
  EXPECT_TRUE(is_near());
  Later(1000);
  EXPECT_FALSE(is_near()) << "it has expired";
  Reply({"A"});
  exchange_.OnGeneration(6);
  EXPECT_FALSE(is_near()) << "something was removed at the broker";
  Reply({"A"});
  Later(NearCache::kLongestMs);
  EXPECT_FALSE(is_near()) << "somebody else may have put a newer one";
}

TEST_F(ValueExchangeTest, TheNearTierIsEmptyWhileMemoryIsShort) {
  const auto is_near = [&] {
    const std::size_t before = sent_.size();
    exchange_.OnAsk({1, {"a"}}, now_);
    if (sent_.size() > before) Reply({"A"});
    return sent_.size() == before;
  };
  EXPECT_FALSE(is_near());
  exchange_.OnMemory(90);
  EXPECT_FALSE(is_near());
  exchange_.OnMemory(80);
  EXPECT_FALSE(is_near()) << "not yet";
  exchange_.OnMemory(70);
  EXPECT_FALSE(is_near());
  EXPECT_TRUE(is_near());
}

TEST_F(ValueExchangeTest, AnotherSolverHasKeysOfItsOwn) {
  exchange_.OnAsk({1, {"a"}}, now_);
  Reply({"A"});
  exchange_.Begin(2, ExecutionId(200), "other", CachePolicy::kDefault);
  exchange_.OnAsk({2, {"a"}}, now_);
  EXPECT_EQ(sent_.back().payload.get<GetValues>().execution, ExecutionId(200));
  EXPECT_THAT(sent_, SizeIs(2));
}

TEST_F(ValueExchangeTest, AnAnswerHasTheNumberOfItsQuestion) {
  exchange_.OnAsk({1, {"a"}, 7}, now_);
  exchange_.OnAsk({1, {"b"}, 8}, now_);
  Reply({"B"});
  EXPECT_EQ(answers_.back().number, 8u);
  exchange_.OnAsk({1, {"b"}, 9}, now_);
  EXPECT_EQ(answers_.back().number, 9u) << "near";
  exchange_.OnDown();
  EXPECT_EQ(answers_.back().number, 7u);
}

TEST_F(ValueExchangeTest, AQuestionWithoutKeysGoesToTheBrokerBehindWhatWasOffered) {
  exchange_.OnOffer({1, "a", "A", 1});
  exchange_.OnAsk({1, {}, 5}, now_);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_TRUE(sent_.back().payload.is<GetValues>());
  Reply({});
  EXPECT_EQ(answers_.at(0).number, 5u);
}

TEST_F(ValueExchangeTest, WhoMustBeFreshReadsNothingThatIsNearAndWhoWantsNoCacheWritesNothing) {
  exchange_.OnAsk({1, {"a"}}, now_);
  Reply({"A"});
  exchange_.Begin(2, ExecutionId(200), "panel", CachePolicy::kRefresh);
  exchange_.OnAsk({2, {"a"}}, now_);
  EXPECT_THAT(Answered(), ElementsAre("-"));
  exchange_.OnOffer({2, "b", "B", 1});
  EXPECT_THAT(sent_, SizeIs(2)) << "a refresh writes";
  exchange_.Begin(3, ExecutionId(300), "panel", CachePolicy::kNone);
  exchange_.OnAsk({3, {"a"}}, now_);
  EXPECT_THAT(Answered(), ElementsAre("-"));
  exchange_.OnOffer({3, "c", "C", 1});
  EXPECT_THAT(sent_, SizeIs(2));
  exchange_.Begin(4, ExecutionId(400), "panel", CachePolicy::kForce);
  exchange_.OnAsk({4, {"a"}}, now_);
  EXPECT_THAT(Answered(), ElementsAre("A"));
}

TEST_F(ValueExchangeTest, WithoutABrokerThereIsNothingAndNobodyWaits) {
  exchange_.OnAsk({1, {"a"}}, now_);
  exchange_.OnDown();
  EXPECT_THAT(Answered(), ElementsAre("-"));
  exchange_.OnAsk({1, {"a"}}, now_);
  EXPECT_THAT(answers_, SizeIs(2));
  exchange_.OnOffer({1, "a", "A", 1});
  EXPECT_THAT(sent_, SizeIs(1));
  exchange_.OnUp();
  exchange_.OnOffer({1, "a", "A", 1});
  EXPECT_EQ(*sent_.back().bodies.at(0), "A");
}

TEST_F(ValueExchangeTest, AnAnswerForAnAttemptThatHasEndedIsDropped) {
  exchange_.OnAsk({1, {"a"}}, now_);
  exchange_.End(1);
  Reply({"A"});
  EXPECT_THAT(answers_, IsEmpty());
  exchange_.OnAsk({1, {"a"}}, now_);
  EXPECT_THAT(answers_, IsEmpty());
}

TEST(NearCacheTest, HoldsItsBoundAndTheLeastUsedGo) {
  NearCache near(100);
  const Now now = ReadClocks();
  for (const char* key : {"a", "b", "c", "d"}) near.Put(key, std::string(23, 'x'), 0, now);
  EXPECT_NE(near.Find("a", now), nullptr);
  near.Put("e", std::string(23, 'x'), 0, now);
  EXPECT_EQ(near.Find("b", now), nullptr);
  EXPECT_NE(near.Find("a", now), nullptr);
  near.Put("huge", std::string(101, 'x'), 0, now);
  EXPECT_EQ(near.Find("huge", now), nullptr);
  EXPECT_LE(near.bytes(), 100u);
}

}  // namespace
}  // namespace icarus::worker
