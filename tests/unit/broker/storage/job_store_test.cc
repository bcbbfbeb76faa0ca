// The job store as a store: what is committed is read back, in order, over restarts.
#include <gtest/gtest.h>

#include <filesystem>

#include "broker/storage/rocksdb_job_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_records.h"

namespace icarus::broker {
namespace {

using Lines = std::vector<std::string>;

class JobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    store_.reset();
    store_ = OpenStore(dir_ / "store");
    ASSERT_NE(store_, nullptr);
    sequence_ = store_->meta().sequence;
  }
  void Commit(std::vector<Record> records) {
    const Status committed = store_->Commit({++sequence_, 0, std::move(records)});
    ASSERT_TRUE(committed) << committed.error().message;
  }

  testing::TempDir dir_;
  std::unique_ptr<RocksDbJobStore> store_;
  std::uint64_t sequence_ = 0;
};

TEST_F(JobStoreTest, ANewStoreHasALineageAndNothingElse) {
  EXPECT_EQ(store_->meta().schema, kStoreSchema);
  EXPECT_EQ(store_->meta().lineage.size(), 32u);
  EXPECT_EQ(LoadLines(*store_), (Lines{"meta 1 0"}));
}

TEST_F(JobStoreTest, EachOpenIsOneEpochMoreOfTheSameLineage) {
  const std::string lineage = store_->meta().lineage;
  EXPECT_EQ(store_->epoch(), 1u);
  Reopen();
  EXPECT_EQ(store_->epoch(), 2u);
  EXPECT_EQ(store_->meta().lineage, lineage);
  Commit({});
  Reopen();
  EXPECT_EQ(store_->epoch(), 3u);
  EXPECT_EQ(store_->meta().sequence, 1u);
}

TEST_F(JobStoreTest, LoadReportsInTheOrderOfThePort) {
  Commit({MakeDispatch(9), MakeDispatch(8), MakeTask(300, 1), MakeTask(2, 256), MakeTask(2, 255, MakeBody("x")),
          MakeStatus(2, 0), MakeJob(300, "bob"), MakeJob(2), PutSetting{"b", "2"}, PutSetting{"a", "1"}});
  Reopen();
  EXPECT_EQ(LoadLines(*store_),
            (Lines{"meta 2 1", "setting a=1", "setting b=2", "job 2 ada", "status 2 0", "task 2.255 w255",
                   "task 2.256 w256", "job 300 bob", "task 300.1 w1", "dispatch 8", "dispatch 9"}));
}

TEST_F(JobStoreTest, TasksOfFinishedJobsAreNotReported) {
  Commit({MakeJob(1), MakeStatus(1, 77), MakeTask(1, 0), MakeTask(1, 1), MakeJob(2), MakeStatus(2, 0), MakeTask(2, 0)});
  EXPECT_EQ(LoadLines(*store_),
            (Lines{"meta 1 1", "job 1 ada", "status 1 77", "job 2 ada", "status 2 0", "task 2.0 w0"}));
}

PutEvents MakeEvents(std::uint64_t first, std::uint32_t count) {
  Event event;
  event.sequence = first;
  event.kind = "task_completed";
  event.job = JobId(1);
  event.task = 0;
  event.count = count;
  return PutEvents{{event}};
}

TEST_F(JobStoreTest, EventsAreReadFromANumberOnAndComeLastAtTheStart) {
  Commit({MakeJob(1), MakeTask(1, 0, MakeBody("x")), MakeEvents(1, 10)});
  Commit({MakeEvents(11, 1)});
  Commit({MakeEvents(12, 3)});
  const auto first_of = [this](std::uint64_t after, std::size_t limit = 100) {
    std::vector<std::uint64_t> sequences;
    const auto events = store_->ReadEvents(after, limit);
    EXPECT_TRUE(events) << events.error().message;
    for (const Event& event : *events) sequences.push_back(event.sequence);
    return sequences;
  };
  using Sequences = std::vector<std::uint64_t>;
  EXPECT_EQ(first_of(0), (Sequences{1, 11, 12}));
  EXPECT_EQ(first_of(5), (Sequences{1, 11, 12})) << "some of its tasks are after it";
  EXPECT_EQ(first_of(10), (Sequences{11, 12}));
  EXPECT_EQ(first_of(0, 1), (Sequences{1}));
  EXPECT_EQ(first_of(14), Sequences());
  Commit({DeleteEvents{1}});
  EXPECT_EQ(first_of(0), (Sequences{11, 12}));
  Reopen();
  std::vector<std::string> lines;
  StoreVisitor visitor = TraceTo(lines);
  visitor.on_events = [&lines](std::uint64_t first, std::uint64_t next, std::uint64_t) {
    lines.push_back("events " + std::to_string(first) + " " + std::to_string(next));
  };
  ASSERT_TRUE(store_->Load(visitor));
  EXPECT_EQ(lines, (Lines{"meta 2 4", "job 1 ada", "task 1.0 w0", "events 11 12", "events 12 15"}));
}

TEST_F(JobStoreTest, DeletedRecordsAreGone) {
  Commit({MakeJob(1), MakeTask(1, 0, MakeBody("x")), MakeTask(1, 1), MakeDispatch(5), PutSetting{"a", "1"}});
  Commit({DeleteTask{{JobId(1), 0}}, DeleteDispatch{5}, DeleteSetting{"a"}});
  Reopen();
  EXPECT_EQ(LoadLines(*store_), (Lines{"meta 2 2", "job 1 ada", "task 1.1 w1"}));
}

TEST_F(JobStoreTest, ADeletedJobTakesAllThatIsItsAndNothingElse) {
  for (std::uint64_t job = 1; job <= 3; ++job) {
    Commit({MakeJob(job), MakeStatus(job, 0), MakeTask(job, 0, MakeBody("x")), MakeTask(job, 0xffffffff)});
  }
  Commit({DeleteJob{JobId(2)}});
  Reopen();
  EXPECT_EQ(LoadLines(*store_),
            (Lines{"meta 2 4", "job 1 ada", "status 1 0", "task 1.0 w0", "task 1.4294967295 w4294967295", "job 3 ada",
                   "status 3 0", "task 3.0 w0", "task 3.4294967295 w4294967295"}));
  EXPECT_FALSE(store_->ReadTasks(JobId(2), {0}, true)->at(0));
  EXPECT_EQ(*store_->ReadTasks(JobId(3), {0}, true)->at(0)->body, "x");
  // A body that was left behind would come back to life with a record that names it.
  Commit({MakeJob(2), MakeTask(2, 0, MakeBody("new"))});
  EXPECT_EQ(*store_->ReadTasks(JobId(2), {0}, true)->at(0)->body, "new");
}

TEST_F(JobStoreTest, TasksAreReadInTheOrderAskedFor) {
  const std::string large(3 << 20, 'x');
  Commit({MakeJob(1), MakeTask(1, 0, MakeBody("zero")), MakeTask(1, 1), MakeTask(1, 2, MakeBody(large)),
          MakeTask(1, 3, MakeBody(""))});
  const auto tasks = store_->ReadTasks(JobId(1), {3, 2, 9, 0, 1, 0}, true);
  ASSERT_TRUE(tasks) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 6u);
  EXPECT_EQ(*tasks->at(0)->body, "");
  EXPECT_EQ(*tasks->at(1)->body, large);
  EXPECT_FALSE(tasks->at(2));
  EXPECT_EQ(*tasks->at(3)->body, "zero");
  EXPECT_EQ(tasks->at(4)->body, nullptr);
  EXPECT_EQ(tasks->at(4)->record.worker, "w1");
  EXPECT_EQ(*tasks->at(5)->body, "zero");
}

TEST_F(JobStoreTest, BodiesAreReadOnlyWhenAskedFor) {
  Commit({MakeJob(1), MakeTask(1, 0, MakeBody("zero"))});
  const auto tasks = store_->ReadTasks(JobId(1), {0}, false);
  EXPECT_TRUE(tasks->at(0)->record.has_body);
  EXPECT_EQ(tasks->at(0)->body, nullptr);
  EXPECT_TRUE(store_->ReadTasks(JobId(1), {}, true)->empty());
}

TEST_F(JobStoreTest, ARecordIsReplacedAndItsOldBodyIsNotRead) {
  Commit({MakeJob(1), MakeTask(1, 0, MakeBody("old"))});
  Commit({MakeTask(1, 0)});
  EXPECT_EQ(store_->ReadTasks(JobId(1), {0}, true)->at(0)->body, nullptr);
  Commit({MakeTask(1, 0, MakeBody("new"))});
  EXPECT_EQ(*store_->ReadTasks(JobId(1), {0}, true)->at(0)->body, "new");
}

TEST_F(JobStoreTest, RecordsOfOneBatchApplyInOrder) {
  Commit({MakeJob(1), MakeTask(1, 0), DeleteJob{JobId(1)}, MakeJob(1, "bob")});
  EXPECT_EQ(LoadLines(*store_), (Lines{"meta 1 1", "job 1 bob"}));
}

TEST_F(JobStoreTest, ManyBatchesOutliveTheirMemtables) {
  const std::string body(128 << 10, 'b');
  Commit({MakeJob(1)});
  for (TaskIndex i = 0; i < 150; ++i) Commit({MakeTask(1, i, MakeBody(body + std::to_string(i)))});
  Reopen();
  EXPECT_EQ(store_->meta().sequence, 151u);
  std::vector<TaskIndex> all(150);
  for (TaskIndex i = 0; i < 150; ++i) all[i] = i;
  const auto tasks = store_->ReadTasks(JobId(1), all, true);
  ASSERT_TRUE(tasks) << tasks.error().message;
  for (TaskIndex i = 0; i < 150; ++i) EXPECT_EQ(*tasks->at(i)->body, body + std::to_string(i));
}

TEST_F(JobStoreTest, NeitherRocksDbsLogNorAWorldReadableDirectoryIsMade) {
  EXPECT_FALSE(std::filesystem::exists(dir_ / "store/LOG"));
  EXPECT_EQ(std::filesystem::status(dir_ / "store").permissions(), std::filesystem::perms::owner_all);
}

using JobStoreDeathTest = JobStoreTest;

TEST_F(JobStoreDeathTest, ASequenceThatLeavesAGapIsABug) {
  // The other style would run the test again from its start, and leave a second directory behind.
  ::testing::FLAGS_gtest_death_test_style = "fast";
  EXPECT_DEATH((void)store_->Commit({sequence_ + 2, 0, {}}), "batch.sequence");
}

}  // namespace
}  // namespace icarus::broker
