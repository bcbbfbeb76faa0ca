// Packed jobs come back as they were, and what is asked of all of them needs none unpacked.
#include "broker/core/job_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_world.h"

namespace icarus::broker::testing {
namespace {

using ::testing::SizeIs;

JobRecord RecordOf(std::uint64_t id) {
  JobRecord record;
  record.job = JobId(id);
  record.user = id % 2 == 0 ? "alice" : "bob";
  record.id = "submission-" + std::to_string(id);
  record.submitted_at_ms = 1'000 + static_cast<std::int64_t>(id);
  record.spec = CoreWorld::Noop("0:2:1", static_cast<int>(id % 7));
  record.spec.tags["study"] = "x" + std::to_string(id);
  return record;
}

class JobTableTest : public ::testing::Test {
 protected:
  std::unique_ptr<Job> Make(JobRecord record) {
    const Manifest& manifest = *catalogue_.Find(record.spec.analysis);
    const std::uint32_t total = *record.spec.sweep.Count();
    auto job = std::make_unique<Job>(std::move(record), manifest, total);
    job->enqueued_ms = 77;
    job->identity = "1.0+1";
    job->request_class = 5;
    return job;
  }
  void Add(std::uint64_t id) { table_.Add(Make(RecordOf(id))); }

  const Catalogue& catalogue_ = Catalogue::BuiltIn();
  JobTable table_{catalogue_, 0};
};

TEST_F(JobTableTest, AnIdleJobIsPackedAtTheEndOfATurnAndComesBackAsItWas) {
  Add(1);
  table_.at(JobId(1))->in_queue = true;
  EXPECT_FALSE(table_.IsPacked(JobId(1)));
  table_.PackIdle();
  EXPECT_TRUE(table_.IsPacked(JobId(1)));
  const Job& job = *table_.at(JobId(1));
  EXPECT_EQ(job.record().spec.tags, RecordOf(1).spec.tags);
  EXPECT_EQ(job.record().id, "submission-1");
  EXPECT_EQ(job.spec().sweep, RecordOf(1).spec.sweep);
  EXPECT_EQ(job.total(), 3u);
  EXPECT_EQ(job.ready(), 3u);
  EXPECT_EQ(job.enqueued_ms, 77);
  EXPECT_EQ(job.identity, "1.0+1");
  EXPECT_EQ(job.request_class, 5u);
  EXPECT_TRUE(job.in_queue);
}

TEST_F(JobTableTest, TheBriefOfAPackedJobIsThatOfTheJob) {
  for (std::uint64_t id = 1; id <= 20; ++id) Add(id);
  std::vector<JobBrief> before;
  for (const auto& [id, slot] : table_.slots()) before.push_back(table_.BriefOf(slot));
  table_.PackIdle();
  std::size_t at = 0;
  for (const auto& [id, slot] : table_.slots()) {
    const JobBrief packed = table_.BriefOf(slot);
    const JobBrief& live = before[at++];
    EXPECT_TRUE(table_.IsPacked(id));
    EXPECT_EQ(*packed.user, RecordOf(id.value).user);
    EXPECT_EQ(packed.submitted_at_ms, live.submitted_at_ms);
    EXPECT_EQ(packed.enqueued_ms, live.enqueued_ms);
    EXPECT_EQ(packed.priority, live.priority);
    EXPECT_EQ(packed.request_class, live.request_class);
    EXPECT_EQ(packed.ready, live.ready);
    EXPECT_EQ(packed.state, live.state);
    EXPECT_EQ(packed.identified, live.identified);
    EXPECT_EQ(packed.finished, live.finished);
  }
}

TEST_F(JobTableTest, WhatSomethingHasHappenedToStaysUnpacked) {
  for (std::uint64_t id = 1; id <= 4; ++id) Add(id);
  table_.at(JobId(1))->SetBusy(0, true);
  table_.at(JobId(2))->Hold();
  table_.at(JobId(3))->Extra(1).attempt = 1;
  table_.PackIdle();
  for (const std::uint64_t id : {1u, 2u, 3u}) EXPECT_FALSE(table_.IsPacked(JobId(id))) << id;
  EXPECT_TRUE(table_.IsPacked(JobId(4)));
}

TEST_F(JobTableTest, SomeIdleOnesAreLeftAsTheyAre) {
  JobTable table(catalogue_, 3);
  for (std::uint64_t id = 1; id <= 10; ++id) {
    table.Add(Make(RecordOf(id)));
    table.PackIdle();
  }
  std::size_t packed = 0;
  for (const auto& [id, slot] : table.slots()) packed += table.IsPacked(id) ? 1u : 0u;
  EXPECT_EQ(packed, 7u);
  EXPECT_FALSE(table.IsPacked(JobId(10)));
}

TEST_F(JobTableTest, OneThatIsVeryLargeIsNotPacked) {
  JobRecord record = RecordOf(1);
  record.spec.sweep.targets.push_back({"file.dat", std::string(100'000, 'x')});
  table_.Add(Make(std::move(record)));
  table_.PackIdle();
  EXPECT_FALSE(table_.IsPacked(JobId(1)));
}

TEST(PackedJobs, AreFoundListedFinishedAndRetried) {
  CoreWorld world;
  world.AddWorker("w", 1);
  JobSpec spec = CoreWorld::Noop();
  spec.tags["study"] = "wing";
  std::vector<JobId> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(world.Submit(spec));
  EXPECT_TRUE(world.core().jobs().IsPacked(jobs[3]));
  ListJobs tagged;
  tagged.tags["study"] = "wing";
  EXPECT_EQ(world.Ask<ListJobsReply>("alice", tagged).matching, 5u);
  tagged.tags["study"] = "tail";
  EXPECT_EQ(world.Ask<ListJobsReply>("alice", tagged).matching, 0u);
  for (int i = 0; i < 5; ++i) {
    const auto given = world.TakeDispatched("w");
    ASSERT_THAT(given, SizeIs(1));
    const bool fails = i == 4;
    world.Finish("w", given[0], fails ? TaskState::kFailed : TaskState::kCompleted,
                 fails ? TaskErrorKind::kInvalidInput : TaskErrorKind::kNone);
  }
  EXPECT_TRUE(world.core().jobs().IsPacked(jobs[4])) << "it has ended";
  ListJobs failed;
  failed.states = {TaskState::kFailed};
  EXPECT_THAT(world.Ask<ListJobsReply>("alice", failed).jobs, SizeIs(1));
  EXPECT_EQ(world.Ask<RetryReply>("alice", Retry{jobs[4], {}}).retried, 1u);
  EXPECT_THAT(world.TakeDispatched("w"), SizeIs(1));
  EXPECT_EQ(world.core().CheckInvariants(), "");
}

TEST(PackedJobs, ARestartLeavesThemPackedAndInOrder) {
  CoreWorld world;
  world.AddWorker("w", 1);
  const JobId ended = world.Submit(CoreWorld::Noop());
  const JobId low = world.Submit(CoreWorld::Noop("", 1));
  const JobId high = world.Submit(CoreWorld::Noop("", 3));
  const GivenTask task = world.TakeDispatched("w").at(0);
  world.SendFromWorker("w", Drain{true});
  world.Finish("w", task);
  world.Restart();
  EXPECT_TRUE(world.core().jobs().IsPacked(ended));
  EXPECT_TRUE(world.core().jobs().IsPacked(low));
  EXPECT_EQ(world.core().CheckInvariants(), "");
  world.AddWorker("v", 1);
  const auto first = world.TakeDispatched("v");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].job, high);
  world.Finish("v", first[0]);
  const auto second = world.TakeDispatched("v");
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].job, low);
}

}  // namespace
}  // namespace icarus::broker::testing
