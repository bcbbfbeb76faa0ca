#include "broker/storage/commit_thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/unit/broker/storage/waiting.h"

namespace icarus::broker {
namespace {

Status NoSpace() { return Error{ErrorCode::kOverloaded, "no space", {}, 1.0}; }

// Answers commits with the scripted statuses, then with success.
class FakeStore : public JobStore {
 public:
  explicit FakeStore(std::vector<Status> script = {}) : script_(std::move(script)) {}

  Status Load(const StoreVisitor&) override { return {}; }
  Result<std::vector<std::optional<StoredTask>>> ReadTasks(JobId, const std::vector<TaskIndex>&, bool) override {
    return std::vector<std::optional<StoredTask>>();
  }
  Result<std::vector<Event>> ReadEvents(std::uint64_t, std::size_t) override { return std::vector<Event>(); }
  Status Commit(const RecordBatch& batch) override {
    Status status;
    {
      const std::lock_guard lock(mutex_);
      sequences_.push_back(batch.sequence);
      if (sequences_.size() <= script_.size()) status = script_[sequences_.size() - 1];
    }
    called_.Notify();
    return status;
  }
  std::vector<std::uint64_t> sequences() const {
    const std::lock_guard lock(mutex_);
    return sequences_;
  }
  bool WaitForCalls(std::size_t calls) {
    return called_.WaitUntil([&] { return sequences().size() >= calls; });
  }

 private:
  const std::vector<Status> script_;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> sequences_;
  Signal called_;
};

class CommitThreadTest : public ::testing::Test {
 protected:
  std::function<void()> Wake() {
    return [this] { woken_.Notify(); };
  }
  // The next outcome; one that never comes is a failure.
  CommitOutcome Next(CommitThread& thread) {
    std::optional<CommitOutcome> outcome;
    EXPECT_TRUE(woken_.WaitUntil([&] { return (outcome = thread.TakeDone()).has_value(); }));
    return outcome.value_or(CommitOutcome{});
  }

  Signal woken_;
};

constexpr std::chrono::hours kNever{24};

TEST_F(CommitThreadTest, BatchesAreCommittedInOrderOneAtATime) {
  FakeStore store;
  CommitThread thread(store, Wake());
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    thread.Submit({sequence, 0, {}});
    EXPECT_TRUE(thread.busy());
    const CommitOutcome outcome = Next(thread);
    EXPECT_EQ(outcome.sequence, sequence);
    EXPECT_TRUE(outcome.status);
    EXPECT_FALSE(thread.busy());
  }
  EXPECT_EQ(store.sequences().size(), 100u);
  EXPECT_FALSE(thread.TakeDone());
}

TEST_F(CommitThreadTest, AFullDiskIsReportedOnceAndTheSameBatchTriedUntilItSucceeds) {
  FakeStore store({NoSpace(), NoSpace()});
  CommitThread thread(store, Wake(), std::chrono::milliseconds(1));
  thread.Submit({7, 0, {}});
  const CommitOutcome stall = Next(thread);
  EXPECT_EQ(stall.sequence, 7u);
  ASSERT_FALSE(stall.status);
  EXPECT_EQ(stall.status.error().code, ErrorCode::kOverloaded);
  EXPECT_FALSE(stall.final());
  EXPECT_TRUE(thread.busy());
  const CommitOutcome done = Next(thread);
  EXPECT_EQ(done.sequence, 7u);
  EXPECT_TRUE(done.status);
  EXPECT_FALSE(thread.busy());
  EXPECT_EQ(store.sequences(), (std::vector<std::uint64_t>{7, 7, 7}));
}

TEST_F(CommitThreadTest, RetryDoesNotWaitForTheInterval) {
  FakeStore store({NoSpace(), NoSpace()});
  CommitThread thread(store, Wake(), kNever);
  thread.Submit({7, 0, {}});
  EXPECT_FALSE(Next(thread).final());
  thread.Retry();
  ASSERT_TRUE(store.WaitForCalls(2));
  thread.Retry();
  EXPECT_TRUE(Next(thread).status);
}

TEST_F(CommitThreadTest, RetryWithoutAStallIsForgotten) {
  FakeStore store({Status(), NoSpace()});
  CommitThread thread(store, Wake(), kNever);
  thread.Retry();
  thread.Submit({1, 0, {}});
  EXPECT_TRUE(Next(thread).status);
  thread.Retry();
  thread.Submit({2, 0, {}});
  EXPECT_FALSE(Next(thread).final());
  EXPECT_EQ(store.sequences().size(), 2u);
  thread.Retry();
  EXPECT_TRUE(Next(thread).status);
}

TEST_F(CommitThreadTest, AfterAnotherErrorNothingIsWrittenAnyMore) {
  FakeStore store({Status(IoError("disk gone"))});
  CommitThread thread(store, Wake(), std::chrono::milliseconds(1));
  thread.Submit({1, 0, {}});
  const CommitOutcome outcome = Next(thread);
  EXPECT_TRUE(outcome.final());
  ASSERT_FALSE(outcome.status);
  EXPECT_EQ(outcome.status.error().code, ErrorCode::kIo);
  thread.Submit({2, 0, {}});
  EXPECT_EQ(Next(thread).status.error().message, "disk gone");
  EXPECT_EQ(store.sequences(), (std::vector<std::uint64_t>{1}));
}

TEST_F(CommitThreadTest, AnErrorDuringAStallEndsIt) {
  FakeStore store({NoSpace(), Status(IoError("disk gone"))});
  CommitThread thread(store, Wake(), std::chrono::milliseconds(1));
  thread.Submit({1, 0, {}});
  EXPECT_FALSE(Next(thread).final());
  const CommitOutcome outcome = Next(thread);
  EXPECT_TRUE(outcome.final());
  EXPECT_EQ(outcome.status.error().code, ErrorCode::kIo);
}

TEST_F(CommitThreadTest, TheDestructorFinishesTheBatchInFlight) {
  FakeStore store;
  {
    CommitThread thread(store, Wake());
    thread.Submit({1, 0, {}});
  }
  EXPECT_EQ(store.sequences(), (std::vector<std::uint64_t>{1}));
}

TEST_F(CommitThreadTest, TheDestructorDoesNotWaitForAFullDisk) {
  FakeStore store(std::vector<Status>(100, NoSpace()));
  {
    CommitThread thread(store, Wake(), kNever);
    thread.Submit({1, 0, {}});
    EXPECT_FALSE(Next(thread).final());
  }
  EXPECT_EQ(store.sequences().size(), 1u);
}

TEST_F(CommitThreadTest, TwoBatchesInFlightAreABug) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        FakeStore store;
        CommitThread thread(store, Wake());
        thread.Submit({1, 0, {}});
        thread.Submit({2, 0, {}});
      },
      "busy_");
}

}  // namespace
}  // namespace icarus::broker
