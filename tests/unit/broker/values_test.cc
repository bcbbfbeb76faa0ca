// Intermediate values: what a worker may ask for and put, for which execution.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class ValuesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.AddWorker("w", 4);
    world_.AddWorker("v", 4);
  }
  // At the worker.
  GivenTask Polar(const std::string& worker, const std::string& reynolds, CachePolicy cache = CachePolicy::kDefault) {
    world_.Submit(CoreWorld::Polar(reynolds, cache));
    for (const std::string& name : {std::string("w"), std::string("v")}) {
      const auto given = world_.TakeDispatched(name);
      if (given.empty()) continue;
      holder_ = name;
      return given.at(0);
    }
    ADD_FAILURE() << "nobody got it for " << worker;
    return {};
  }
  // A command of a user, at the worker.
  GivenTask Command(const std::string& user, std::vector<std::string> argv, const std::string& content = "",
                    CachePolicy cache = CachePolicy::kDefault) {
    JobSpec spec;
    spec.analysis = "command";
    spec.command.emplace();
    spec.command->argv = std::move(argv);
    spec.cache = cache;
    if (!content.empty()) spec.command->inputs.push_back({"march", HashBytes(content), 0, 0755, content});
    world_.AddClient(user, user);
    world_.Submit(spec, user);
    for (const std::string& name : {std::string("w"), std::string("v")}) {
      const auto given = world_.TakeDispatched(name);
      if (given.empty()) continue;
      holder_ = name;
      return given.at(0);
    }
    ADD_FAILURE() << "nobody got it";
    return {};
  }
  std::string GetOne(const GivenTask& task) { return Get(holder_, task.execution, {"k"}).at(0); }
  void Put(const std::string& worker, ExecutionId execution, const std::string& key, const std::string& value) {
    world_.SendFromWorker(worker, PutValues{execution, {key}, 2.0}, {std::make_shared<const std::string>(value)});
  }
  std::vector<std::string> Get(const std::string& worker, ExecutionId execution, const std::vector<std::string>& keys) {
    world_.SendFromWorker(worker, GetValues{execution, keys});
    const Message answer = world_.LastMessage(worker);
    const auto& reply = answer.payload.get<GetValuesReply>();
    std::vector<std::string> found;
    for (const std::int32_t at : reply.at) found.push_back(at < 0 ? "-" : *answer.bodies[static_cast<std::size_t>(at)]);
    return found;
  }

  CoreWorld world_;
  std::string holder_;
};

TEST_F(ValuesTest, WhatOneExecutionPutsAnotherOfTheSameSolverGets) {
  const GivenTask first = Polar("w", "1e6");
  Put(holder_, first.execution, "a", "value a");
  EXPECT_THAT(Get(holder_, first.execution, {"a", "b"}), ElementsAre("value a", "-"));
  const GivenTask second = Polar("w", "2e6");
  EXPECT_THAT(Get(holder_, second.execution, {"b", "a"}), ElementsAre("-", "value a"));
  const CacheReply stats = world_.Ask<CacheReply>("alice", CacheQuery{});
  EXPECT_EQ(stats.value_hits, 2u);
  EXPECT_EQ(stats.value_misses, 2u);
  EXPECT_EQ(stats.hits, 0u) << "results are counted apart";
}

TEST_F(ValuesTest, OutlivesTheBroker) {
  const GivenTask first = Polar("w", "1e6");
  Put(holder_, first.execution, "a", "value a");
  world_.Restart();
  world_.AddWorker("w", 4);
  const GivenTask second = Polar("w", "2e6");
  EXPECT_THAT(Get(holder_, second.execution, {"a"}), ElementsAre("value a"));
}

TEST_F(ValuesTest, AWorkerSpeaksForItsOwnExecutionsOnly) {
  const GivenTask task = Polar("w", "1e6");
  const std::string other = holder_ == "w" ? "v" : "w";
  Put(other, task.execution, "a", "forged");
  EXPECT_EQ(world_.core().values().entries(), 0u);
  Put(holder_, task.execution, "a", "true");
  EXPECT_THAT(Get(other, task.execution, {"a"}), ElementsAre("-"));
  world_.Finish(holder_, task);
  Put(holder_, task.execution, "b", "too late");
  EXPECT_EQ(world_.core().values().entries(), 1u);
}

TEST_F(ValuesTest, WithoutTheCacheNothingIsKeptAndARefreshReadsNothing) {
  const GivenTask bare = Polar("w", "1e6", CachePolicy::kNone);
  Put(holder_, bare.execution, "a", "value");
  EXPECT_EQ(world_.core().values().entries(), 0u);
  const GivenTask fresh = Polar("w", "2e6", CachePolicy::kRefresh);
  Put(holder_, fresh.execution, "a", "value");
  EXPECT_EQ(world_.core().values().entries(), 1u);
  EXPECT_THAT(Get(holder_, fresh.execution, {"a"}), ElementsAre("-"));
}

TEST_F(ValuesTest, ACommandSharesWithItsUsersRunsOfTheSameProgram) {
  Put(holder_, Command("alice", {"./march", "1"}, "v1").execution, "k", "of v1");
  EXPECT_EQ(GetOne(Command("alice", {"./march", "2"}, "v1")), "of v1");
  EXPECT_EQ(GetOne(Command("alice", {"./march", "2"}, "v2")), "-") << "the program has changed";
  EXPECT_EQ(GetOne(Command("bob", {"./march", "2"}, "v1")), "-") << "another user";
  EXPECT_EQ(GetOne(Command("alice", {"march", "2"})), "-") << "one that is installed";
  EXPECT_EQ(GetOne(Command("alice", {"python3", "march"}, "v1")), "-") << "another program runs it";
}

TEST_F(ValuesTest, CommandsWithoutTheCacheKeepNothingAndARefreshReadsNothing) {
  Put(holder_, Command("alice", {"march"}, "", CachePolicy::kNone).execution, "k", "value");
  EXPECT_EQ(world_.core().values().entries(), 0u);
  const GivenTask fresh = Command("alice", {"march"}, "", CachePolicy::kRefresh);
  Put(holder_, fresh.execution, "k", "value");
  EXPECT_EQ(GetOne(fresh), "-");
  EXPECT_EQ(GetOne(Command("alice", {"march"})), "value");
}

TEST_F(ValuesTest, AQuestionWithoutKeysIsAnsweredAndCountsNothing) {
  const GivenTask task = Command("alice", {"march"});
  EXPECT_THAT(Get(holder_, task.execution, {}), SizeIs(0));
  EXPECT_EQ(world_.Ask<CacheReply>("alice", CacheQuery{}).value_misses, 0u);
}

TEST_F(ValuesTest, AWorkerIsToldHowItsTasksUseTheCache) {
  for (const CachePolicy cache : {CachePolicy::kDefault, CachePolicy::kNone, CachePolicy::kRefresh}) {
    EXPECT_EQ(Command("alice", {"march"}, "", cache).cache, cache);
  }
}

TEST_F(ValuesTest, ADamagedValueIsAMissAndGoes) {
  const GivenTask task = Polar("w", "1e6");
  Put(holder_, task.execution, "a", "value");
  world_.DamageCache();
  EXPECT_THAT(Get(holder_, task.execution, {"a"}), ElementsAre("-"));
  EXPECT_EQ(world_.core().values().entries(), 0u);
}

}  // namespace
}  // namespace icarus::broker::testing
