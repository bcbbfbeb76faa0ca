#include "broker/storage/io_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/unit/broker/storage/waiting.h"

namespace icarus::broker {
namespace {

constexpr std::chrono::seconds kLong{30};

// Holds the thread in a job until it is told to go on.
class Gate {
 public:
  IoThread::Job Job() {
    return [this] {
      entered_.store(true);
      signal_.Notify();
      signal_.WaitUntil([this] { return open_.load(); });
    };
  }
  bool WaitEntered() {
    return signal_.WaitUntil([this] { return entered_.load(); });
  }
  void Open() {
    open_.store(true);
    signal_.Notify();
  }

 private:
  std::atomic<bool> entered_ = false;
  std::atomic<bool> open_ = false;
  Signal signal_;
};

TEST(IoThread, UrgentJobsRunFirstEachLaneInOrder) {
  std::string order;
  Gate gate;
  IoThread thread({}, {});
  ASSERT_TRUE(thread.TryPost(Lane::kUrgent, gate.Job()));
  ASSERT_TRUE(gate.WaitEntered());
  for (const char name : std::string("abc")) {
    ASSERT_TRUE(thread.TryPost(Lane::kBackground, [&order, name] { order += name; }));
  }
  for (const char name : std::string("ABC")) {
    ASSERT_TRUE(thread.TryPost(Lane::kUrgent, [&order, name] { order += name; }));
  }
  gate.Open();
  ASSERT_TRUE(thread.Drain(kLong));
  EXPECT_EQ(order, "ABCabc");
}

TEST(IoThread, AFullLaneRefusesAndTheOtherDoesNot) {
  Gate gate;
  std::atomic<int> ran = 0;
  const auto count = [&ran] { ++ran; };
  IoThread thread({2, 1000}, {1, 1000});
  ASSERT_TRUE(thread.TryPost(Lane::kUrgent, gate.Job()));
  ASSERT_TRUE(gate.WaitEntered());
  EXPECT_TRUE(thread.TryPost(Lane::kBackground, count));
  EXPECT_FALSE(thread.TryPost(Lane::kBackground, count));
  EXPECT_TRUE(thread.TryPost(Lane::kUrgent, count));
  EXPECT_TRUE(thread.TryPost(Lane::kUrgent, count));
  EXPECT_FALSE(thread.TryPost(Lane::kUrgent, count));
  gate.Open();
  ASSERT_TRUE(thread.Drain(kLong));
  EXPECT_EQ(ran, 3);
  EXPECT_TRUE(thread.TryPost(Lane::kBackground, count));
  ASSERT_TRUE(thread.Drain(kLong));
  EXPECT_EQ(ran, 4);
}

TEST(IoThread, ALaneIsBoundedInBytesButTakesOneJobOfAnySize) {
  Gate gate;
  IoThread thread({}, {10, 1000});
  ASSERT_TRUE(thread.TryPost(Lane::kUrgent, gate.Job()));
  ASSERT_TRUE(gate.WaitEntered());
  EXPECT_TRUE(thread.TryPost(
      Lane::kBackground, [] {}, 5000));
  EXPECT_FALSE(thread.TryPost(
      Lane::kBackground, [] {}, 1));
  gate.Open();
  ASSERT_TRUE(thread.Drain(kLong));

  Gate second;
  ASSERT_TRUE(thread.TryPost(Lane::kUrgent, second.Job()));
  ASSERT_TRUE(second.WaitEntered());
  EXPECT_TRUE(thread.TryPost(
      Lane::kBackground, [] {}, 600));
  EXPECT_TRUE(thread.TryPost(
      Lane::kBackground, [] {}, 400));
  EXPECT_FALSE(thread.TryPost(
      Lane::kBackground, [] {}, 1));
  second.Open();
  EXPECT_TRUE(thread.Drain(kLong));
}

TEST(IoThread, DrainGivesUpAfterItsTimeout) {
  Gate gate;
  IoThread thread({}, {});
  ASSERT_TRUE(thread.TryPost(Lane::kUrgent, gate.Job()));
  EXPECT_FALSE(thread.Drain(std::chrono::milliseconds(1)));
  gate.Open();
  EXPECT_TRUE(thread.Drain(kLong));
}

TEST(IoThread, TheDestructorEndsTheJobThatRunsAndReleasesTheOthers) {
  const auto held = std::make_shared<int>(0);
  std::atomic<bool> ended = false;
  Gate gate;
  {
    IoThread thread({}, {});
    ASSERT_TRUE(thread.TryPost(Lane::kUrgent, [&gate, &ended] {
      gate.Job()();
      ended = true;
    }));
    ASSERT_TRUE(gate.WaitEntered());
    ASSERT_TRUE(thread.TryPost(Lane::kBackground, [held] {}));
    gate.Open();
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(IoThread, ManyPostersLoseNothing) {
  std::atomic<int> ran = 0;
  IoThread thread({100'000, 1 << 20}, {100'000, 1 << 20});
  std::vector<std::thread> posters;
  for (int i = 0; i < 4; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        EXPECT_TRUE(thread.TryPost(j % 2 == 0 ? Lane::kUrgent : Lane::kBackground, [&ran] { ++ran; }));
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  ASSERT_TRUE(thread.Drain(kLong));
  EXPECT_EQ(ran, 4000);
}

}  // namespace
}  // namespace icarus::broker
