// The broker core on scripted events: what is dispatched, when, and what becomes of every task.
#include "broker/core/broker_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/random.h"
#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(BrokerCore, RunsASweepToItsEndWithinTheSlots) {
  CoreWorld world;
  world.AddWorker("w", 2);
  const JobId job = world.Submit(CoreWorld::Noop("0:4:1"));
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2)) << "two slots, an unknown class: nothing ahead";
  world.Start("w", given[0]);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kRunning);
  EXPECT_EQ(world.StateOf(job, 1), TaskState::kPending) << "dispatched, but not said to be started";
  std::set<TaskIndex> seen;
  while (!given.empty()) {
    for (const auto& task : given) {
      seen.insert(task.index);
      world.Finish("w", task);
      EXPECT_TRUE(world.acknowledged.contains(task.execution));
    }
    given = world.TakeDispatched("w");
  }
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(world.job(job).state(), TaskState::kCompleted);
  EXPECT_THAT(world.dispatches, IsEmpty()) << "records of dispatches go when their tasks have ended";
}

TEST(BrokerCore, HigherPriorityRunsFirstBehindABusyWorker) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop());
  auto busy = world.TakeDispatched("w");
  ASSERT_THAT(busy, SizeIs(1));
  for (const int priority : {0, 1, 9, 5}) world.Submit(CoreWorld::Noop("", priority));
  std::vector<int> order;
  world.Finish("w", busy[0]);
  for (auto given = world.TakeDispatched("w"); !given.empty(); given = world.TakeDispatched("w")) {
    order.push_back(given[0].priority);
    world.Finish("w", given[0]);
  }
  EXPECT_THAT(order, ElementsAre(9, 5, 1, 0));
}

TEST(BrokerCore, AgeOutweighsPriorityInTheEnd) {
  CoreConfig config;
  config.aging_ms = 10'000;
  config.worker_lost_after_ms = 1'000'000;
  CoreWorld world(config);
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop());
  auto busy = world.TakeDispatched("w");
  world.Submit(CoreWorld::Noop("", 0));
  world.Advance(35'000);
  world.Submit(CoreWorld::Noop("", 3));
  world.Finish("w", busy[0]);
  EXPECT_EQ(world.TakeDispatched("w").at(0).priority, 0) << "three steps of age and a tie that goes to the older";
}

// Runs short tasks until a job has shown that it may queue ahead as much as its class; what the worker then holds.
std::vector<GivenTask> FillAhead(CoreWorld& world) {
  std::vector<GivenTask> held = world.TakeDispatched("w");
  for (int round = 0; round < 6; ++round) {
    for (const GivenTask& task : held) world.Finish("w", task, TaskState::kCompleted, TaskErrorKind::kNone, 0.01);
    held = world.TakeDispatched("w");
  }
  return held;
}

TEST(BrokerCore, ShortTasksAreQueuedAheadLongOnesNever) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop("0:999:1"));
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world.Finish("w", given[0], TaskState::kCompleted, TaskErrorKind::kNone, 0.01);
  given = world.TakeDispatched("w");
  EXPECT_THAT(given, SizeIs(3)) << "one running, and twice what it has shown";
  for (const auto& task : given) world.Finish("w", task, TaskState::kCompleted, TaskErrorKind::kNone, 0.01);
  given = FillAhead(world);
  EXPECT_THAT(given, SizeIs(41)) << "one running and 0.4 s of 10 ms tasks ahead";
  world.Finish("w", given[0], TaskState::kCompleted, TaskErrorKind::kNone, 30);
  for (std::size_t i = 1; i < given.size(); ++i)
    world.Finish("w", given[i], TaskState::kCompleted, TaskErrorKind::kNone, 30);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
}

TEST(BrokerCore, EqualTasksRunOnceAndTheSecondTimeComeFromTheCache) {
  CoreWorld world;
  world.AddWorker("w", 4);
  const JobId first = world.Submit(CoreWorld::Polar("1e6"));
  const JobId second = world.Submit(CoreWorld::Polar("1000000"));
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1)) << "the second joins the first";
  world.Finish("w", given[0]);
  EXPECT_EQ(world.job(first).state(), TaskState::kCompleted);
  EXPECT_EQ(world.job(second).state(), TaskState::kCompleted);
  EXPECT_EQ(world.job(second).joined, 1u);

  icarus::Submit request;
  request.id = "third";
  request.spec = CoreWorld::Polar("1.0e6");
  const auto reply = world.Ask<SubmitReply>("alice", request);
  EXPECT_EQ(reply.cached, 1u);
  EXPECT_EQ(world.job(reply.job).state(), TaskState::kCompleted);
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty());
  world.Submit(CoreWorld::Polar("1e6", CachePolicy::kRefresh));
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
  world.Submit(CoreWorld::Polar("1e6", CachePolicy::kNone));
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
}

// Polars whose key counts the Mach number in steps.
Catalogue WithMachStep(double step) {
  Manifest manifest = *Catalogue::BuiltIn().Find("airfoil_polar");
  for (Parameter& parameter : manifest.parameters) {
    if (parameter.name == "mach") parameter.key_step = step;
  }
  return Catalogue({manifest});
}

JobSpec PolarAt(double mach, CachePolicy cache = CachePolicy::kDefault) {
  JobSpec spec = CoreWorld::Polar("1e6", cache);
  spec.sweep.base["mach"] = Value(mach);
  return spec;
}

TEST(BrokerCore, ValuesThatTheKeyRoundsToOneRunOnceAndEachTaskKeepsItsOwn) {
  const Catalogue catalogue = WithMachStep(0.1);
  CoreWorld world({}, catalogue);
  world.AddWorker("w", 4);
  const JobId first = world.Submit(PolarAt(0.29));
  const JobId near = world.Submit(PolarAt(0.31));
  const JobId far = world.Submit(PolarAt(0.36));
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2)) << "the second joins the first, the third is in another step";
  EXPECT_EQ(given[0].params.at("mach"), Value(0.29)) << "it is computed for the first's own value";
  EXPECT_EQ(given[1].params.at("mach"), Value(0.36));
  for (const GivenTask& task : given) world.Finish("w", task);
  const JobId later = world.Submit(PolarAt(0.3));
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty());
  const auto item = [&](JobId job) { return world.Ask<ResultPage>("alice", FetchResults{job, 0, 0}).items.at(0); };
  EXPECT_EQ(item(first).key, item(near).key);
  EXPECT_EQ(item(first).key, item(later).key);
  EXPECT_NE(item(first).key, item(far).key);
  EXPECT_EQ(item(near).task.params.at("mach"), Value(0.31));
  for (const JobId job : {first, near, later}) EXPECT_EQ(item(job).key_params, (ValueMap{{"mach", Value(0.3)}}));
  EXPECT_EQ(item(far).key_params, (ValueMap{{"mach", Value(0.4)}}));
}

TEST(BrokerCore, WithoutACacheNothingIsRounded) {
  const Catalogue catalogue = WithMachStep(0.1);
  CoreWorld world({}, catalogue);
  world.AddWorker("w", 4);
  world.Finish("w", (world.Submit(PolarAt(0.29)), world.TakeDispatched("w").at(0)));
  const JobId exact = world.Submit(PolarAt(0.31, CachePolicy::kNone));
  const auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world.Finish("w", given[0]);
  EXPECT_EQ(given[0].params.at("mach"), Value(0.31));
  EXPECT_FALSE(world.Ask<ResultPage>("alice", FetchResults{exact, 0, 0}).items.at(0).key_params);
}

TEST(BrokerCore, AnEstimateShowsWhatTheKeyRounds) {
  const Catalogue catalogue = WithMachStep(0.1);
  CoreWorld world({}, catalogue);
  world.AddWorker("w", 4);
  world.Finish("w", (world.Submit(PolarAt(0.29)), world.TakeDispatched("w").at(0)));
  const auto reply = world.Ask<EstimateReply>("alice", Estimate{PolarAt(0.34), 1});
  EXPECT_EQ(reply.hits, 1u);
  ASSERT_THAT(reply.forms, SizeIs(1));
  EXPECT_THAT(reply.forms[0], HasSubstr(R"("key_step":{"mach":0.1},"params":{)"));
  EXPECT_THAT(reply.forms[0], HasSubstr(R"("mach":0.3,)"));
}

TEST(BrokerCore, HitsNeedNeitherWorkerNorSlot) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Finish("w", (world.Submit(CoreWorld::Polar("1e6")), world.TakeDispatched("w").at(0)));
  world.Submit(CoreWorld::Noop());
  ASSERT_THAT(world.TakeDispatched("w"), SizeIs(1)) << "the only slot is taken";
  const JobId job = world.Submit(CoreWorld::Polar("2e5,1e6,5e5"));
  EXPECT_EQ(world.StateOf(job, 1), TaskState::kCompleted);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending);
}

TEST(BrokerCore, ADamagedCacheValueIsComputedAnew) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Finish("w", (world.Submit(CoreWorld::Polar("1e6")), world.TakeDispatched("w").at(0)));
  world.DamageCache();
  const JobId job = world.Submit(CoreWorld::Polar("1e6"));
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  world.Finish("w", given[0]);
  EXPECT_EQ(world.job(job).state(), TaskState::kCompleted);
  EXPECT_EQ(world.Ask<CacheReply>("alice", CacheQuery{}).damaged, 1u);
}

TEST(BrokerCore, CancelOfPendingRunningAndCompleted) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop("0:2:1"));
  auto given = world.TakeDispatched("w");
  world.Start("w", given[0]);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{job, {2}, ""}).cancelled, 1u);
  EXPECT_EQ(world.StateOf(job, 2), TaskState::kCancelled);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{job, {0}, ""}).cancelled, 0u)
      << "no answer until the solver is gone";
  EXPECT_THAT(world.TakeStops("w"), ElementsAre(given[0].execution));
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kRunning);
  world.Finish("w", given[0], TaskState::kCancelled);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kCancelled);
  EXPECT_EQ(world.Answer<CancelReply>("alice").cancelled, 1u);
  world.Finish("w", world.TakeDispatched("w").at(0));
  world.SendFromClient("alice", Cancel{job, {1}, ""});
  ASSERT_TRUE(world.LastError("alice"));
  EXPECT_EQ(world.LastError("alice")->code, ErrorCode::kRefused);
  EXPECT_EQ(world.StateOf(job, 1), TaskState::kCompleted);
}

TEST(BrokerCore, CancelOfAMillionTasksIsOneRecord) {
  CoreWorld world;
  JobSpec spec;
  spec.analysis = "noop";
  spec.sweep.axes.push_back(Axis{{AxisColumn{"i", *ParseValues("0:999999:1")}}});
  const JobId job = world.Submit(spec);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{job, {}, "enough"}).cancelled, 1'000'000u);
  EXPECT_EQ(world.job(job).state(), TaskState::kCancelled);
  EXPECT_THAT(world.tasks, IsEmpty());
  world.Restart();
  EXPECT_EQ(world.StateOf(job, 77), TaskState::kCancelled);
}

TEST(BrokerCore, OneLeavesAJoinedExecutionTheOtherGetsTheResult) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId leader = world.Submit(CoreWorld::Polar("1e6"));
  auto given = world.TakeDispatched("w");
  world.Start("w", given[0]);
  const JobId joined = world.Submit(CoreWorld::Polar("1e6"));
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{leader, {}, ""}).cancelled, 1u);
  EXPECT_THAT(world.TakeStops("w"), IsEmpty()) << "somebody still waits for it";
  world.Finish("w", given[0]);
  EXPECT_EQ(world.job(leader).state(), TaskState::kCancelled);
  EXPECT_EQ(world.job(joined).state(), TaskState::kCompleted);
}

TEST(BrokerCore, CrashesAreRetriedWithBackoffUpToTheLimit) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop();
  spec.retries = 2;
  const JobId job = world.Submit(spec);
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    auto given = world.TakeDispatched("w");
    ASSERT_THAT(given, SizeIs(1));
    EXPECT_EQ(given[0].attempt, attempt);
    world.Finish("w", given[0], TaskState::kFailed, TaskErrorKind::kSolverCrashed);
    EXPECT_THAT(world.TakeDispatched("w"), IsEmpty()) << "it waits before it is tried again";
    world.Advance(10'000);
  }
  EXPECT_EQ(world.job(job).state(), TaskState::kFailed);
  EXPECT_EQ(world.tasks.at({job, 0}).history->size(), 3u) << "the last attempt too";
}

TEST(BrokerCore, InvalidInputIsNotRetriedAndTheOwnersRetryRunsItAgain) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop("0:1:1"));
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  world.Finish("w", world.TakeDispatched("w").at(0));
  EXPECT_EQ(world.job(job).state(), TaskState::kFailed);
  EXPECT_EQ(world.Ask<RetryReply>("alice", Retry{job, {}}).retried, 1u);
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(1));
  EXPECT_EQ(given[0].index, 0u);
  world.Finish("w", given[0]);
  EXPECT_EQ(world.job(job).state(), TaskState::kCompleted);
  EXPECT_EQ(world.completions({job, 1}), 1) << "what was completed is not run again";
}

TEST(BrokerCore, ALostWorkersTasksRunElsewhereAndItsLateResultIsRefused) {
  CoreWorld world;
  world.AddWorker("w1", 1);
  const JobId job = world.Submit(CoreWorld::Noop());
  auto first = world.TakeDispatched("w1");
  world.Start("w1", first[0]);
  world.Advance(16'000);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending);
  world.AddWorker("w2", 1);
  auto second = world.TakeDispatched("w2");
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_NE(second[0].token, first[0].token);
  world.AddWorker("w1", 1, {}, {{first[0].execution, first[0].token, true}});  // it wakes up
  world.Finish("w1", first[0]);
  EXPECT_EQ(world.completions({job, 0}), 0);
  world.Finish("w2", second[0]);
  EXPECT_EQ(world.completions({job, 0}), 1);
}

TEST(BrokerCore, ABrokerThatWasStoppedBlamesNoWorkerForTheSilence) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop());
  world.Start("w", world.TakeDispatched("w").at(0));
  world.Advance(600'000);  // ten minutes late: it was not there to hear anything
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kRunning);
  world.Advance(15'500);
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kPending) << "now the worker is silent by itself";
}

TEST(BrokerCore, ATaskThatKillsItsWorkersIsSetAside) {
  CoreConfig config;
  config.max_worker_deaths = 2;
  CoreWorld world(config);
  const JobId job = world.Submit(CoreWorld::Noop());
  for (int i = 0; i < 2; ++i) {
    const std::string worker = "w" + std::to_string(i);
    world.AddWorker(worker, 1);
    auto given = world.TakeDispatched(worker);
    ASSERT_THAT(given, SizeIs(1));
    world.Start(worker, given[0]);
    world.Advance(16'000);
  }
  EXPECT_EQ(world.job(job).state(), TaskState::kFailed);
  EXPECT_EQ(world.tasks.at({job, 0}).error->kind, TaskErrorKind::kWorkerLost);
}

TEST(BrokerCore, ASuccessorReplacesAWorkerAtOnce) {
  CoreWorld world;
  world.AddWorker("old", 1);
  world.Submit(CoreWorld::Noop());
  ASSERT_THAT(world.TakeDispatched("old"), SizeIs(1));
  world.AddWorker("new", 1, {}, {}, "old");
  EXPECT_THAT(world.TakeDispatched("new"), SizeIs(1));
}

TEST(BrokerCore, RunningWorkSurvivesARestartAndIsNotRunTwice) {
  CoreWorld world;
  world.AddWorker("w", 2);
  const JobId job = world.Submit(CoreWorld::Noop("0:9:1"));
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2));
  world.Finish("w", given[0]);
  auto next = world.TakeDispatched("w");
  world.Restart();
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kCompleted);
  world.AddWorker("w", 2, {}, {{given[1].execution, given[1].token, true}});
  EXPECT_EQ(world.StateOf(job, 1), TaskState::kRunning);
  auto redone = world.TakeDispatched("w");
  ASSERT_THAT(redone, SizeIs(1)) << "the one that never arrived; the other goes on";
  EXPECT_EQ(redone[0].index, next[0].index);
  EXPECT_EQ(redone[0].attempt, 1u) << "what never arrived was no attempt";
  world.Finish("w", given[1]);
  EXPECT_EQ(world.completions({job, 1}), 1);
}

TEST(BrokerCore, ExecutionsOfAWorkerThatStaysAwayReturnAfterTheGrace) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop());
  ASSERT_THAT(world.TakeDispatched("w"), SizeIs(1));
  world.Restart();
  world.AddWorker("other", 1);
  EXPECT_THAT(world.TakeDispatched("other"), IsEmpty());
  world.Beat("other");
  for (int i = 0; i < 42; ++i) {
    EXPECT_THAT(world.TakeDispatched("other"), IsEmpty());
    world.Advance(1'450);
    world.Beat("other");
  }
  EXPECT_THAT(world.TakeDispatched("other"), SizeIs(1));
}

TEST(BrokerCore, AQueueTimeoutOfARequeuedTaskLeavesNothingToJoin) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Polar("1e6");
  spec.queue_timeout_ms = 6'000;
  spec.retries = 5;
  const JobId first = world.Submit(spec);
  auto given = world.TakeDispatched("w");
  world.Submit(CoreWorld::Noop("", 9));
  world.Finish("w", given[0], TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  auto busy = world.TakeDispatched("w");
  ASSERT_THAT(busy, SizeIs(1)) << "another has the slot meanwhile";
  for (int i = 0; i < 5; ++i) {
    world.Advance(1'500);
    world.Beat("w");
  }
  EXPECT_EQ(world.job(first).state(), TaskState::kTimedOut);
  const JobId second = world.Submit(CoreWorld::Polar("1e6"));
  world.Finish("w", busy[0]);
  ASSERT_THAT(world.TakeDispatched("w"), SizeIs(1)) << "nothing is under way that it could have joined";
  EXPECT_EQ(world.job(second).joined, 0u);
}

TEST(BrokerCore, ATaskThatWasHandedOutTwiceReattachesByItsLastToken) {
  CoreWorld world;
  world.AddWorker("w", 2);
  JobSpec spec = CoreWorld::Noop("0:1:1");
  spec.retries = 3;
  const JobId job = world.Submit(spec);
  auto given = world.TakeDispatched("w");
  ASSERT_THAT(given, SizeIs(2));
  world.Finish("w", given[0], TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  world.Advance(1'900);
  auto again = world.TakeDispatched("w");
  ASSERT_THAT(again, SizeIs(1));
  world.Restart();
  world.AddWorker("w", 2, {}, {{given[1].execution, given[1].token, true}, {again[0].execution, again[0].token, true}});
  EXPECT_EQ(world.StateOf(job, 0), TaskState::kRunning);
  EXPECT_EQ(world.StateOf(job, 1), TaskState::kRunning);
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty()) << "nothing runs twice because the broker restarted";
  world.Finish("w", again[0]);
  EXPECT_EQ(world.completions({job, 0}), 1);
}

TEST(BrokerCore, TheSameIdIsTheSameJobAlsoAfterARestart) {
  CoreWorld world;
  const JobId job = world.Submit(CoreWorld::Noop(), "alice", "mine");
  EXPECT_EQ(world.Submit(CoreWorld::Noop(), "alice", "mine"), job);
  world.AddClient("bob", "bob");
  EXPECT_NE(world.Submit(CoreWorld::Noop(), "bob", "mine"), job) << "ids are the user's own";
  world.Restart();
  EXPECT_EQ(world.Submit(CoreWorld::Noop(), "alice", "mine"), job);
}

TEST(BrokerCore, OnlyTheOwnerAndAnAdminSeeAJob) {
  CoreWorld world;
  const JobId job = world.Submit(CoreWorld::Noop());
  world.AddClient("bob", "bob");
  world.AddClient("root", "root", true);
  world.SendFromClient("bob", Cancel{job, {}, ""});
  ASSERT_TRUE(world.LastError("bob"));
  EXPECT_EQ(world.LastError("bob")->code, ErrorCode::kNotFound);
  EXPECT_THAT(world.Ask<ListJobsReply>("bob", ListJobs{}).jobs, IsEmpty());
  EXPECT_THAT(world.Ask<ListJobsReply>("root", ListJobs{}).jobs, SizeIs(1));
}

TEST(BrokerCore, AnotherUserIsServedBesideAnEndlessSweep) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop("0:99999:1"));
  auto given = world.TakeDispatched("w");
  world.Finish("w", given[0]);
  given = world.TakeDispatched("w");
  world.AddClient("bob", "bob");
  const JobId other = world.Submit(CoreWorld::Noop(), "bob");
  world.Finish("w", given[0]);
  EXPECT_EQ(world.TakeDispatched("w").at(0).job, other) << "the user who was served least comes first";
}

TEST(BrokerCore, WhatIsQueuedAheadIsRecalledForATaskThatComesFirst) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop("0:99999:1"));
  auto ahead = FillAhead(world);
  ASSERT_THAT(ahead, SizeIs(41));
  world.Start("w", ahead[0]);
  JobSpec command;
  command.analysis = "command";
  command.command = CommandSpec{};
  command.command->argv = {"true"};
  const JobId job = world.Submit(command);
  EXPECT_THAT(world.TakeRecalls("w"), SizeIs(40)) << "all that had not started";
  for (std::size_t i = 1; i < ahead.size(); ++i) world.ReturnTask("w", ahead[i]);
  EXPECT_THAT(world.TakeDispatched("w"), IsEmpty()) << "the worker is kept free for it";
  world.Finish("w", ahead[0], TaskState::kCompleted, TaskErrorKind::kNone, 0.01);
  EXPECT_EQ(world.TakeDispatched("w").at(0).job, job);
}

TEST(BrokerCore, WhatTurnedOutSlowMakesRoomForAnotherUserAndForAPriority) {
  CoreWorld world;
  world.AddWorker("w", 2);
  world.Submit(CoreWorld::Noop("0:99999:1"));
  const auto ahead = FillAhead(world);
  world.Start("w", ahead[0]);
  world.Finish("w", ahead[0], TaskState::kCompleted, TaskErrorKind::kNone, 30);  // the class is slow from now on
  world.AddClient("bob", "bob");
  world.Submit(CoreWorld::Noop(), "bob");
  EXPECT_GT(world.TakeRecalls("w").size(), 10u) << "bob has nothing there";
  world.Submit(CoreWorld::Noop("", 9));
  EXPECT_THAT(world.TakeRecalls("w"), IsEmpty()) << "all of it is on its way back already";
}

TEST(BrokerCore, WhoRestedIsServedAtOnceHoweverMuchWasServedBefore) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.AddClient("bob", "bob");
  world.Submit(CoreWorld::Noop(), "bob");
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kCompleted, TaskErrorKind::kNone, 500);
  world.Submit(CoreWorld::Noop("0:99999:1"));
  const auto given = world.TakeDispatched("w");
  const JobId second = world.Submit(CoreWorld::Noop(), "bob");
  world.Finish("w", given.at(0), TaskState::kCompleted, TaskErrorKind::kNone, 30);
  EXPECT_EQ(world.TakeDispatched("w").at(0).job, second);
}

TEST(BrokerCore, UnknownAnalysisAndWrongValuesNameTheField) {
  CoreWorld world;
  JobSpec spec;
  spec.analysis = "nope";
  world.Submit(spec);
  EXPECT_EQ(world.LastError("alice")->field, "analysis");
  spec = CoreWorld::Polar("1e9");
  world.Submit(spec);
  EXPECT_EQ(world.LastError("alice")->field, "reynolds");
  EXPECT_THAT(world.LastError("alice")->message, HasSubstr("1000 to 100000000"));
}

TEST(BrokerCore, ShowAndResultsCoverEveryTask) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId job = world.Submit(CoreWorld::Noop("0:2:1"));
  world.Finish("w", world.TakeDispatched("w").at(0));
  const auto show = world.Ask<ShowJobReply>("alice", ShowJob{job, {}, 0, 100});
  ASSERT_THAT(show.items, SizeIs(3));
  EXPECT_EQ(show.items[0].state, TaskState::kCompleted);
  EXPECT_EQ(show.items[2].state, TaskState::kPending);
  EXPECT_EQ(show.items[2].params.at("i"), Value(2.0));
  const auto page = world.Ask<ResultPage>("alice", FetchResults{job, 0, 0});
  ASSERT_THAT(page.items, SizeIs(3));
  EXPECT_EQ(page.items[0].body, 0);
  EXPECT_EQ(page.items[1].body, -1);
  EXPECT_EQ(page.next, 3u);
}

// A job that has shown to be short queues ahead at the worker; one that is new may not, yet, and comes first all the
// same.
TEST(BrokerCore, WhoQueuesAheadDoesNotKeepABetterOneFromEverySlot) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.Submit(CoreWorld::Noop("0:499:1"));
  const auto finish_what_is_there = [&] {
    const auto given = world.TakeDispatched("w");
    for (const auto& task : given) {
      world.Start("w", task);
      world.Finish("w", task, TaskState::kCompleted, TaskErrorKind::kNone, 0.001);
    }
    return given;
  };
  for (int round = 0; round < 4; ++round) finish_what_is_there();
  const JobId better = world.Submit(CoreWorld::Noop("0:1:1", 3));
  bool served = false;
  for (int round = 0; round < 3 && !served; ++round) {
    for (const auto& task : finish_what_is_there()) served = served || task.job == better;
  }
  EXPECT_TRUE(served);
}

TEST(BrokerCore, ACancelOfOneTaskCountsThatOne) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop("0:3:1");
  spec.max_fails = 0;
  const JobId job = world.Submit(spec);
  EXPECT_EQ(world.Ask<CancelReply>("alice", Cancel{job, {2}, ""}).cancelled, 1u);
}

TEST(BrokerCore, TooManyFailuresEndTheRest) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop("0:99:1");
  spec.max_fails = 1;
  const JobId job = world.Submit(spec);
  for (int i = 0; i < 2; ++i) {
    world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kInvalidInput);
  }
  EXPECT_TRUE(world.job(job).finished());
  EXPECT_EQ(world.job(job).Count(TaskState::kCancelled), 98u);
}

TEST(BrokerCore, QueueTimeoutAndDeadline) {
  CoreWorld world;
  JobSpec waits = CoreWorld::Noop("0:1:1");
  waits.queue_timeout_ms = 5'000;
  const JobId queued = world.Submit(waits);
  world.Advance(5'000);
  EXPECT_EQ(world.job(queued).state(), TaskState::kTimedOut);
  world.AddWorker("w", 1);
  JobSpec late = CoreWorld::Noop();
  late.deadline_ms = 5'000;
  const JobId job = world.Submit(late);
  auto given = world.TakeDispatched("w");
  world.Advance(5'000);
  ASSERT_THAT(world.TakeStops("w"), SizeIs(1));
  world.Finish("w", given[0], TaskState::kCancelled);
  EXPECT_EQ(world.job(job).state(), TaskState::kTimedOut);
}

// Random events over many seeds: the invariants hold after each (checked by CoreWorld), and once the faults stop, every
// task ends, none with two results.
TEST(BrokerCore, RandomHistoriesKeepTheInvariantsAndConverge) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    CoreWorld world;
    std::vector<JobId> jobs;
    std::vector<std::string> workers;
    std::map<std::string, std::vector<GivenTask>> held;
    int made = 0;
    const auto collect = [&] {
      for (const std::string& worker : workers) {
        for (const GivenTask& task : world.TakeDispatched(worker)) held[worker].push_back(task);
        for (const ExecutionId recall : world.TakeRecalls(worker)) {
          auto& mine = held[worker];
          const auto it =
              std::find_if(mine.begin(), mine.end(), [&](const GivenTask& t) { return t.execution == recall; });
          if (it == mine.end() || random.Below(4) == 0) continue;  // it may have started meanwhile
          const GivenTask task = *it;
          mine.erase(it);
          world.ReturnTask(worker, task);
        }
        for (const ExecutionId stop : world.TakeStops(worker)) {
          auto& mine = held[worker];
          const auto it =
              std::find_if(mine.begin(), mine.end(), [&](const GivenTask& t) { return t.execution == stop; });
          if (it == mine.end()) continue;
          const GivenTask task = *it;
          mine.erase(it);
          world.Finish(worker, task, TaskState::kCancelled);
        }
      }
    };
    const auto step = [&](bool faults) {
      collect();
      const auto choice = random.Below(faults ? 12 : 3);
      std::string worker = workers.empty() ? "" : workers[random.Below(workers.size())];
      if (choice <= 2 && !worker.empty() && !held[worker].empty()) {
        const std::size_t at = random.Below(held[worker].size());
        const GivenTask task = held[worker][at];
        held[worker].erase(held[worker].begin() + static_cast<std::ptrdiff_t>(at));
        if (random.Below(2) == 0) world.Start(worker, task);
        const auto end = faults ? random.Below(10) : 9;
        if (end == 0) {
          world.Finish(worker, task, TaskState::kFailed, TaskErrorKind::kSolverCrashed);
        } else if (end == 1) {
          world.Finish(worker, task, TaskState::kFailed, TaskErrorKind::kNoConvergence);
        } else if (end == 2) {
          world.ReturnTask(worker, task);
        } else {
          world.Finish(worker, task);
        }
      } else if (choice == 3) {
        const auto count = 1 + random.Below(6);
        JobSpec spec = random.Below(2) == 0
                           ? CoreWorld::Noop("0:" + std::to_string(count) + ":1", static_cast<int>(random.Below(5)))
                           : CoreWorld::Polar(std::to_string(100000 * (1 + random.Below(4))) + ",3e6");
        jobs.push_back(world.Submit(spec));
      } else if (choice == 4 && workers.size() < 3) {
        workers.push_back("w" + std::to_string(++made));
        world.AddWorker(workers.back(), 1 + static_cast<int>(random.Below(3)));
      } else if (choice == 5 && !jobs.empty()) {
        Cancel cancel{jobs[random.Below(jobs.size())], {}, ""};
        if (random.Below(2) == 0) cancel.tasks = {0};
        world.SendFromClient("alice", cancel);
      } else if (choice == 6 && !jobs.empty()) {
        world.SendFromClient("alice", Retry{jobs[random.Below(jobs.size())], {}});
      } else if (choice == 7) {
        world.Advance(static_cast<std::int64_t>(random.Below(9'000)));
      } else if (choice == 8 && !worker.empty()) {
        held.erase(worker);
        std::erase(workers, worker);  // it dies and is silent from now on
      } else if (choice == 9) {
        world.Restart();
        for (const std::string& name : workers) {
          std::vector<HeldExecution> list;
          for (const GivenTask& task : held[name]) list.push_back({task.execution, task.token, random.Below(2) == 0});
          world.AddWorker(name, 3, {}, list);
        }
      } else {
        world.Advance(100);
        for (const std::string& name : workers) world.Beat(name);
      }
    };
    for (int i = 0; i < 300; ++i) step(true);
    workers.push_back("last");
    world.AddWorker("last", 4);
    const auto all_finished = [&] {
      return std::all_of(jobs.begin(), jobs.end(), [&](JobId id) { return id.value == 0 || world.job(id).finished(); });
    };
    for (int i = 0; i < 4000 && !all_finished(); ++i) {
      step(false);
      if (i % 10 == 0) {
        world.Advance(2'000);
        for (const std::string& name : workers) world.Beat(name);
      }
    }
    for (const JobId job : jobs) {
      if (job.value == 0) continue;
      EXPECT_TRUE(world.job(job).finished()) << "job " << job.value;
      for (TaskIndex index = 0; index < world.job(job).total(); ++index) EXPECT_LE(world.completions({job, index}), 1);
    }
  }
}

}  // namespace
}  // namespace icarus::broker::testing
