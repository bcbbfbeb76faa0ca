// Which files go and which stay, with a real job store and real files.
#include "broker/storage/file_sweep.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "broker/storage/named_files.h"
#include "common/base/clock.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_records.h"

namespace icarus::broker {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

FileRef Stored(const std::string& content, const std::string& name = "file") {
  FileRef file;
  file.name = name;
  file.hash = HashBytes(content);
  file.size = content.size();
  return file;
}

class FileSweepTest : public ::testing::Test {
 protected:
  void SetUp() override {
    files_.emplace(*BlobStore::Open(dir_ / "blobs"));
    JobStoreOptions options;
    options.min_free_bytes = 0;
    auto jobs = RocksDbJobStore::Open(dir_ / "store", options);
    ASSERT_TRUE(jobs) << jobs.error().message;
    jobs_ = std::move(*jobs);
  }

  void Send(const std::string& content, std::chrono::hours ago = 0h) {
    ASSERT_TRUE(files_->PutChunk(HashBytes(content), content.size(), 0, content));
    Age(content, ago);
  }
  void Name(const std::string& content, std::chrono::hours ago = 0h) {
    ASSERT_TRUE(files_->Name(HashBytes(content)));
    Age(content, ago);
  }
  void Age(const std::string& content, std::chrono::hours ago) {
    fs::last_write_time(files_->PathOf(HashBytes(content)), fs::file_time_type::clock::now() - ago);
  }
  bool Has(const std::string& content) { return files_->Has(HashBytes(content)); }

  void Commit(std::vector<Record> records) {
    RecordBatch batch;
    batch.sequence = ++sequence_;
    batch.records = std::move(records);
    const Status done = jobs_->Commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  static SweepAges Ages() {
    const std::int64_t now_ns = ReadClocks().wall_ms * 1'000'000;
    return {now_ns - std::chrono::nanoseconds(24h).count(), now_ns - std::chrono::nanoseconds(1h).count()};
  }
  SweptFiles Sweep() {
    const auto swept = SweepFiles(*files_, Ages(), [&](const auto& visit) { return jobs_->VisitNamedFiles(visit); });
    EXPECT_TRUE(swept) << swept.error().message;
    return swept.value_or(SweptFiles{});
  }

  testing::TempDir dir_;
  std::optional<BlobStore> files_;
  std::unique_ptr<RocksDbJobStore> jobs_;
  std::uint64_t sequence_ = 0;
};

TEST_F(FileSweepTest, InputsOutputsAndKeptFilesOfJobsStayUntilTheJobGoes) {
  PutJob job = MakeJob(1);
  job.job.spec.command.emplace();
  FileRef inside = Stored("inside");
  inside.content = "inside";
  FileRef awaited;
  awaited.name = "awaited";
  job.job.spec.command->inputs = {Stored("input"), inside, awaited};
  PutTask ended = MakeTask(1, 0);
  ended.record.blobs = {HashBytes("output")};
  PutTask stopped = MakeTask(1, 1);
  stopped.record.kept = {Stored("kept")};
  Commit({job, ended, stopped});
  for (const std::string content : {"input", "inside", "output", "kept", "nobody's"}) {
    Send(content);
    Name(content, 2h);
  }
  EXPECT_EQ(Sweep().removed, 2u) << "what nobody names, and what travelled inside";
  EXPECT_TRUE(Has("input") && Has("output") && Has("kept"));
  EXPECT_FALSE(Has("inside") || Has("nobody's"));

  stopped.record.kept.reset();
  Commit({stopped});
  EXPECT_EQ(Sweep().bytes, 4u);
  EXPECT_FALSE(Has("kept"));

  Commit({DeleteJob{JobId(1)}});
  EXPECT_EQ(Sweep().removed, 2u);
  EXPECT_FALSE(Has("input") || Has("output"));
}

TEST_F(FileSweepTest, WhatIsOnItsWayIntoARecordStays) {
  Send("sent for a job that may still come", 23h);
  Send("sent for a job that never came", 25h);
  Send("asked for lately", 25h);
  ASSERT_TRUE(files_->Locate(HashBytes("asked for lately"), 16)->complete);
  Send("named a moment ago");
  Name("named a moment ago");
  const SweptFiles swept = Sweep();
  EXPECT_EQ(swept.removed, 1u);
  EXPECT_EQ(swept.young, 1u) << "to be looked at again soon";
  EXPECT_FALSE(Has("sent for a job that never came"));
  // Offered once more, it is as if it had never been named.
  Name("named a moment ago", 2h);
  ASSERT_TRUE(files_->Locate(HashBytes("named a moment ago"), 18)->complete);
  Age("named a moment ago", 2h);
  EXPECT_EQ(Sweep().removed, 0u);
}

TEST_F(FileSweepTest, WhatIsNamedWhileTheRecordsAreReadStays) {
  Send("file");
  Name("file", 2h);
  const auto swept = SweepFiles(*files_, Ages(), [&](const auto&) -> Status {
    EXPECT_TRUE(files_->Name(HashBytes("file")));
    return {};
  });
  ASSERT_TRUE(swept);
  EXPECT_EQ(swept->removed, 0u);
  EXPECT_TRUE(Has("file"));
}

TEST_F(FileSweepTest, RecordsThatCannotBeReadKeepAllFiles) {
  Send("file");
  Name("file", 2h);
  const auto swept = SweepFiles(*files_, Ages(), [](const auto&) -> Status { return CorruptionError("damaged"); });
  EXPECT_FALSE(swept);
  EXPECT_TRUE(Has("file"));
}

TEST_F(FileSweepTest, WithoutAnythingToRemoveTheRecordsAreNotRead) {
  Send("file");
  const auto swept = SweepFiles(*files_, Ages(), [](const auto&) -> Status { return CorruptionError("never asked"); });
  EXPECT_TRUE(swept);
}

TEST_F(FileSweepTest, AFileThatIsNotHereCannotBeNamed) {
  EXPECT_FALSE(files_->Name(HashBytes("never sent")));
  Send("file");
  EXPECT_TRUE(files_->Name(HashBytes("file")));
  std::optional<StoredBlob> seen;
  ASSERT_TRUE(files_->ForEach([&](const StoredBlob& file) { seen = file; }));
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->named);
  EXPECT_TRUE(*files_->RemoveUntouched(*seen));
  EXPECT_FALSE(*files_->RemoveUntouched(*seen)) << "it has gone";
}

}  // namespace
}  // namespace icarus::broker
