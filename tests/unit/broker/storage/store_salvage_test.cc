// What is saved of a damaged store, what is told to be missing, and that the damaged one stays as it is.
#include "broker/storage/store_salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "broker/storage/blob_store.h"
#include "broker/storage/key_schema.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_files.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreSalvageTest : public ::testing::Test {
 protected:
  SalvageReport Salvage() {
    const auto before = Snapshot(places_.home);
    const auto report = SalvageStore(places_, target_);
    EXPECT_TRUE(Snapshot(places_.home) == before) << "the damaged store was changed";
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return {};
    const auto verified = VerifyStore({target_, target_ + "/store", target_ + "/blobs", ""});
    EXPECT_TRUE(verified);
    EXPECT_THAT(verified->findings, IsEmpty());
    EXPECT_FALSE(fs::exists(target_ + "/salvage.tmp"));
    return *report;
  }
  // Of the jobs that FillStore made, those whose result can be read in the new store.
  std::vector<std::uint64_t> SavedResults(std::uint64_t batches) const {
    std::vector<std::uint64_t> saved;
    const auto store = OpenStore(target_ + "/store");
    for (std::uint64_t n = 1; n <= batches; ++n) {
      const auto tasks = store->ReadTasks(JobId(n), {0}, true);
      if (tasks && tasks->at(0) && tasks->at(0)->body && *tasks->at(0)->body == Noise(n, kBodyBytes))
        saved.push_back(n);
    }
    return saved;
  }
  void Damage(const fs::path& file, const std::function<void(std::string&)>& damage) const {
    std::string content = ReadAll(file);
    damage(content);
    WriteAll(file, content);
  }

  testing::TempDir dir_;
  const StorePlaces places_{dir_ / "home", dir_ / "home/store", dir_ / "home/blobs", ""};
  const std::string target_ = dir_ / "saved";
};

TEST_F(StoreSalvageTest, AWholeStoreIsSavedWhole) {
  FillStore(places_.store, 10, 20, kBodyBytes);
  const SalvageReport report = Salvage();
  EXPECT_THAT(report.missing, IsEmpty());
  EXPECT_EQ(SavedResults(20).size(), 20u);
  EXPECT_EQ(report.jobs, 20u);
}

TEST_F(StoreSalvageTest, TheNewStoreHasANewLineageAndAnEpochFarAbove) {
  FillStore(places_.store, 10, 20, kBodyBytes);
  const SalvageReport report = Salvage();
  const std::string lineage = OpenStore(places_.store)->meta().lineage;
  const auto store = OpenStore(target_ + "/store");
  EXPECT_NE(store->meta().lineage, lineage);
  EXPECT_EQ(store->meta().lineage, report.lineage);
  EXPECT_EQ(store->epoch(), 2 + kEpochLeap + 1);
  EXPECT_TRUE(store->Commit({21, 0, {MakeJob(21)}}));
}

TEST_F(StoreSalvageTest, BatchesBehindADamagedOneAreSavedAndItIsNamed) {
  FillStore(places_.store, 10, 20, kBodyBytes);
  Damage(FileLike(places_.store, "", ".log"), [](std::string& c) { c[c.size() / 2] ^= 1; });
  const SalvageReport report = Salvage();
  const auto saved = SavedResults(20);
  ASSERT_EQ(saved.size(), 19u);
  std::uint64_t lost = 1;
  while (lost <= saved.size() && saved[lost - 1] == lost) ++lost;
  EXPECT_THAT(report.missing,
              Contains("batch " + std::to_string(lost) + ": nothing of it can be read; later ones are there"));
  EXPECT_THAT(report.missing,
              Contains("job " + std::to_string(lost) + ": nothing is there; lost, or gone after its time"));
}

TEST_F(StoreSalvageTest, WhereALogEndsTooEarlyIsTold) {
  FillStore(places_.store, 10, 20, kBodyBytes);
  Damage(FileLike(places_.store, "", ".log"), [](std::string& c) { c.resize(c.size() / 2); });
  const SalvageReport report = Salvage();
  const std::uint64_t left = SavedResults(20).size();
  EXPECT_GE(left, 14u);
  EXPECT_THAT(report.missing, Contains("batches " + std::to_string(left + 1) +
                                       " to 20: nothing of it can be read, and nothing after it is there"));
}

TEST_F(StoreSalvageTest, AFlippedByteInATableCostsWhatLiesInItsBlock) {
  FillStore(places_.store, 60, 60, kBodyBytes);
  { ASSERT_NE(OpenStore(places_.store), nullptr); }
  Damage(FileLike(places_.store, "", ".sst"), [](std::string& c) { c[c.size() / 3] ^= 1; });
  const SalvageReport report = Salvage();
  EXPECT_EQ(SavedResults(60).size(), 59u);
  EXPECT_EQ(report.jobs, 60u);
  EXPECT_EQ(report.pending_again, 1u);
  EXPECT_THAT(report.missing, Contains(HasSubstr("the results of tasks 0, which are pending again")));
}

TEST_F(StoreSalvageTest, WithoutItsListTheTablesAreReadAllTheSame) {
  for (const std::string victim : {"CURRENT", "MANIFEST"}) {
    fs::remove_all(places_.home);
    fs::remove_all(target_);
    FillStore(places_.store, 10, 20, kBodyBytes);
    fs::remove(FileLike(places_.store, victim, ""));
    Salvage();
    EXPECT_EQ(SavedResults(20).size(), 20u) << victim;
  }
}

TEST_F(StoreSalvageTest, AStoreOfALogAloneIsSaved) {
  FillStore(places_.store, 0, 20, kBodyBytes);
  for (const auto& [path, content] : Snapshot(places_.store)) {
    if (!path.ends_with(".log")) fs::remove(path);
  }
  Salvage();
  EXPECT_EQ(SavedResults(20).size(), 20u);
}

class SalvageOfAJob : public StoreSalvageTest {
 protected:
  // A finished job of four tasks; the last has a file.
  void SetUp() override {
    auto blobs = BlobStore::Open(places_.blobs);
    ASSERT_TRUE(blobs && blobs->PutChunk(file_, 5, 0, "bytes")->complete);
    PutJob job = MakeJob(7);
    job.job.spec.sweep.axes = {{{{"i", *ParseValues("1:4:1")}}}};
    PutJobStatus status = MakeStatus(7, 99);
    status.status.counts.assign(kTaskStateCount, 0);
    status.status.counts[static_cast<std::size_t>(TaskState::kCompleted)] = 4;
    PutTask with_file = MakeTask(7, 3, MakeBody("three"));
    with_file.record.blobs = {file_};
    Commit({job, status, MakeTask(7, 0, MakeBody("zero")), MakeTask(7, 1, MakeBody("one")),
            MakeTask(7, 2, MakeBody("two")), with_file, PutSetting{"a", "1"}});
  }
  void Commit(std::vector<Record> records) const {
    const auto store = OpenStore(places_.store);
    ASSERT_TRUE(store->Commit({store->meta().sequence + 1, 0, std::move(records)}));
  }
  void FlipBitOf(const std::string& key) const { broker::FlipBitOf(places_.store, key); }
  std::vector<std::string> Lines() const { return LoadLines(*OpenStore(target_ + "/store")); }

  const ContentHash file_ = HashBytes("bytes");
};

TEST_F(SalvageOfAJob, ATaskWhoseResultIsGoneIsPendingAndItsJobIsNotFinished) {
  FlipBitOf(BodyKey({JobId(7), 1}));
  FlipBitOf(TaskKey({JobId(7), 2}));
  const SalvageReport report = Salvage();
  EXPECT_EQ(report.pending_again, 2u);
  EXPECT_THAT(report.missing, Contains("job 7: the results of tasks 1-2, which are pending again"));
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("meta"), "setting a=1", "job 7 ada", "status 7 0", "task 7.0 w0",
                                   "task 7.1 w1", "task 7.2 ", "task 7.3 w3"));
  const auto tasks = OpenStore(target_ + "/store")->ReadTasks(JobId(7), {0, 1, 2}, true);
  EXPECT_EQ(tasks->at(0)->record.state, TaskState::kCompleted);
  EXPECT_EQ(tasks->at(1)->record.state, TaskState::kPending);
  EXPECT_EQ(tasks->at(2)->record.state, TaskState::kPending);
  EXPECT_EQ(tasks->at(1)->body, nullptr);
}

TEST_F(SalvageOfAJob, AResultWithoutItsFileIsGone) {
  fs::remove(BlobStore::Existing(places_.blobs).PathOf(file_));
  const SalvageReport report = Salvage();
  EXPECT_THAT(report.missing, Contains("job 7: the results of tasks 3, which are pending again"));
}

TEST_F(SalvageOfAJob, FilesThatAreWholeAreCopied) {
  EXPECT_EQ(Salvage().blobs, 1u);
  EXPECT_TRUE(*BlobStore::Existing(target_ + "/blobs").IsWhole(file_));
}

TEST_F(SalvageOfAJob, AJobWithoutItsRecordGoesAndIsNamed) {
  FlipBitOf(JobKey(JobId(7)));
  const SalvageReport report = Salvage();
  EXPECT_THAT(report.missing, Contains("job 7: all of it, as its record is gone"));
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("meta"), "setting a=1"));
}

TEST_F(SalvageOfAJob, WithoutItsDescriptionAStoreIsSavedAllTheSame) {
  FlipBitOf(MetaKey());
  EXPECT_EQ(Salvage().jobs, 1u);
}

TEST_F(SalvageOfAJob, ACancelledJobIsNotRunAgainForAResultThatIsLost) {
  PutJobStatus cancelled = MakeStatus(7, 99);
  cancelled.status.remainder = TaskState::kCancelled;
  cancelled.status.closed = true;
  cancelled.status.counts.assign(kTaskStateCount, 0);
  cancelled.status.counts[static_cast<std::size_t>(TaskState::kCompleted)] = 2;
  cancelled.status.counts[static_cast<std::size_t>(TaskState::kCancelled)] = 2;
  PutTask tried = MakeTask(7, 2);
  tried.record.state = TaskState::kPending;
  Commit({DeleteTask{{JobId(7), 3}}, tried, cancelled});
  FlipBitOf(BodyKey({JobId(7), 1}));
  Salvage();
  // Task 1 is to be computed; 2 and 3 stay in the remainder: they have no record.
  EXPECT_THAT(Lines(),
              ElementsAre(HasSubstr("meta"), "setting a=1", "job 7 ada", "status 7 0", "task 7.0 w0", "task 7.1 w1"));
}

// The time of a finished job may have ended: its number alone is no sign of a loss.
TEST_F(SalvageOfAJob, ANumberWithoutAJobIsNamedOnlyWhereSomethingWasLost) {
  EXPECT_THAT(Salvage().missing, IsEmpty());
  fs::remove_all(target_);
  FlipBitOf(BodyKey({JobId(7), 1}));
  EXPECT_THAT(Salvage().missing, Contains("jobs 1 to 6: nothing is there; lost, or gone after its time"));
}

TEST_F(SalvageOfAJob, NumbersOfLostJobsAreNotGivenAgain) {
  FlipBitOf(JobKey(JobId(7)));
  Salvage();
  EXPECT_EQ(OpenStore(target_ + "/store")->meta().last_job, 7u);
}

TEST_F(SalvageOfAJob, AServedStoreOrADirectoryInUseIsRefused) {
  {
    const auto store = OpenStore(places_.store);
    EXPECT_EQ(SalvageStore(places_, target_).error().code, ErrorCode::kRefused);
    EXPECT_FALSE(fs::exists(target_));
  }
  fs::create_directory(target_);
  WriteAll(target_ + "/mine", "x");
  EXPECT_EQ(SalvageStore(places_, target_).error().code, ErrorCode::kRefused);
  EXPECT_EQ(ReadAll(target_ + "/mine"), "x");
}

}  // namespace
}  // namespace icarus::broker
