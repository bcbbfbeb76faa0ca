// Reads of the job store while another thread commits.
#include <gtest/gtest.h>

#include <atomic>
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

}  // namespace
}  // namespace icarus::broker
