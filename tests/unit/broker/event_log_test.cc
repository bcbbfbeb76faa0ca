#include "broker/core/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Event TaskEvent(const char* kind, std::uint64_t job, TaskIndex task) {
  Event event;
  event.kind = kind;
  event.job = JobId(job);
  event.task = task;
  return event;
}

std::vector<Event> SealedEvents(EventLog& log) {
  std::vector<Record> records;
  log.Seal(records);
  return records.empty() ? std::vector<Event>() : std::get<PutEvents>(records.front()).events;
}

TEST(EventLog, WhatIsSaidOfOneTaskAfterTheOtherIsKeptAsOne) {
  EventLog log;
  for (TaskIndex task = 0; task < 5; ++task) log.Add(TaskEvent("task_completed", 1, task));
  log.Add(TaskEvent("task_completed", 1, 7));
  log.Add(TaskEvent("task_started", 1, 8));
  log.Add(TaskEvent("task_started", 2, 9));
  const auto events = SealedEvents(log);
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0].count, 5u);
  EXPECT_EQ(events[1].sequence, 6u) << "each task has a number of its own";
  EXPECT_EQ(events[3].sequence, 8u);
  EXPECT_TRUE(log.empty());
}

TEST(EventLog, TheOldestGoWhenThereAreTooMany) {
  EventLog log;
  log.SetLimit(300);
  std::vector<std::uint64_t> deleted;
  for (std::uint64_t job = 1; job <= 5; ++job) {
    log.Add(TaskEvent("task_completed", job, 0));
    std::vector<Record> records;
    log.Seal(records);
    for (const Record& record : records) {
      if (const auto* gone = std::get_if<DeleteEvents>(&record)) deleted.push_back(gone->first);
    }
  }
  EXPECT_THAT(deleted, ElementsAre(1u, 2u, 3u));
}

TEST(EventLog, NumbersGoOnOverARestart) {
  EventLog log;
  log.Load(1, 41, 5000);
  log.Load(41, 50, 700);
  log.Add(TaskEvent("task_completed", 1, 0));
  EXPECT_EQ(SealedEvents(log).at(0).sequence, 50u);
}

TEST(EventLog, AloneTheyWaitALittleForABatch) {
  EventLog log;
  EXPECT_FALSE(log.Ripe(1000));
  log.Add(TaskEvent("task_started", 1, 0));
  EXPECT_FALSE(log.Ripe(1000));
  ASSERT_TRUE(log.DueMs());
  EXPECT_FALSE(log.Ripe(*log.DueMs() - 1));
  EXPECT_TRUE(log.Ripe(*log.DueMs()));
  SealedEvents(log);
  EXPECT_FALSE(log.DueMs());
}

std::vector<std::string> Kinds(const CoreWorld& world) {
  std::vector<std::string> kinds;
  for (const Event& event : world.happened) kinds.push_back(event.kind);
  return kinds;
}

TEST(Events, TheCoreTellsTheLifeOfAJob) {
  CoreWorld world;
  world.AddWorker("w", 1);
  world.happened.clear();
  const JobId job = world.Submit(CoreWorld::Noop());
  const auto given = world.TakeDispatched("w").at(0);
  world.Start("w", given);
  world.Finish("w", given);
  EXPECT_THAT(Kinds(world), ElementsAre("job_submitted", "task_started", "task_completed", "job_finished"));
  for (const Event& event : world.happened) {
    EXPECT_EQ(event.job, job);
    EXPECT_EQ(event.user, "alice");
  }
  EXPECT_EQ(world.happened[2].worker, "w");
  EXPECT_EQ(world.happened[3].detail, "completed");
}

TEST(Events, RetriesLostWorkersAndCancelsAreTold) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop("0:1:1");
  spec.retries = 1;
  const JobId job = world.Submit(spec);
  world.Finish("w", world.TakeDispatched("w").at(0), TaskState::kFailed, TaskErrorKind::kSolverCrashed);
  EXPECT_THAT(Kinds(world), Contains("task_returned"));
  world.SendFromClient("alice", Cancel{job, {}, "enough"});
  EXPECT_THAT(Kinds(world), Contains("task_cancelled"));
  for (int second = 0; second < 20; ++second) world.Advance(1000);
  EXPECT_THAT(Kinds(world), Contains("worker_lost"));
}

}  // namespace
}  // namespace icarus::broker::testing
