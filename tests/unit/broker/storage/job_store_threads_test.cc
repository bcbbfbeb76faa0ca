// Reads of the job store while another thread commits.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "broker/storage/rocksdb_job_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/broker/storage/store_records.h"

namespace icarus::broker {
namespace {

TEST(JobStoreThreads, ARecordIsReadWithTheBodyOfItsOwnBatch) {
  const testing::TempDir dir;
  const auto store = OpenStore(dir / "store");
  ASSERT_NE(store, nullptr);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint64_t sequence = 1; sequence <= 200; ++sequence) {
      PutTask put = MakeTask(1, 0, MakeBody(std::to_string(sequence)));
      put.record.worker = std::to_string(sequence);
      RecordBatch batch{sequence, 0, {std::move(put)}};
      if (sequence % 10 == 0) batch.records.insert(batch.records.begin(), DeleteJob{JobId(1)});
      EXPECT_TRUE(store->Commit(batch));
    }
    done = true;
  });
  std::size_t reads = 0;
  while (!done || reads == 0) {
    const auto tasks = store->ReadTasks(JobId(1), {0}, true);
    EXPECT_TRUE(tasks) << tasks.error().message;
    if (!tasks || !tasks->at(0)) continue;
    EXPECT_EQ(tasks->at(0)->record.worker, *tasks->at(0)->body);
    ++reads;
  }
  writer.join();
}

std::uint64_t TableBytes(const std::string& dir) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    std::error_code gone;
    const std::uint64_t size = entry.path().extension() == ".sst" ? entry.file_size(gone) : 0;
    if (!gone) sum += size;
  }
  return sum;
}

TEST(JobStoreThreads, TheSpaceOfDeletedJobsIsGivenBack) {
  const testing::TempDir dir;
  JobStoreOptions options;
  options.reclaim_bytes = 1u << 20;
  auto opened = RocksDbJobStore::Open(dir / "store", options);
  ASSERT_TRUE(opened) << opened.error().message;
  RocksDbJobStore& store = **opened;
  std::uint64_t sequence = 0;
  std::mt19937_64 random(1);
  const auto noise = [&] {
    std::string bytes(64u << 10, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return MakeBody(std::move(bytes));
  };
  const auto commit = [&](std::vector<Record> records) {
    EXPECT_TRUE(store.Commit({++sequence, 0, std::move(records)}));
  };
  for (std::uint64_t job = 1; job <= 4; ++job) {
    for (TaskIndex index = 0; index < 128; ++index) commit({MakeTask(job, index, noise())});
  }
  for (TaskIndex index = 0; index < 4; ++index) commit({MakeTask(9, index, noise())});  // stays
  const std::uint64_t full = TableBytes(dir / "store");
  ASSERT_GT(full, 10u << 20);
  for (std::uint64_t job = 1; job <= 4; ++job) commit({DeleteJob{JobId(job)}});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (TableBytes(dir / "store") > full / 8 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_LE(TableBytes(dir / "store"), full / 8);
  const auto kept = store.ReadTasks(JobId(9), {3}, true);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->at(0));
}

}  // namespace
}  // namespace icarus::broker
