#include "broker/storage/loop_inbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <thread>

namespace icarus::broker {
namespace {

bool Readable(const LoopInbox& inbox, int timeout_ms = 0) {
  pollfd waiting{inbox.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

std::unique_ptr<LoopInbox> MakeInbox() {
  auto inbox = LoopInbox::Create();
  EXPECT_TRUE(inbox);
  return std::move(*inbox);
}

TEST(LoopInbox, RunsWhatWasPostedInOrder) {
  const auto inbox = MakeInbox();
  EXPECT_FALSE(Readable(*inbox));
  EXPECT_EQ(inbox->RunAll(), 0u);
  std::string order;
  for (const char name : std::string("abc")) inbox->Post([&order, name] { order += name; });
  EXPECT_TRUE(Readable(*inbox));
  EXPECT_EQ(inbox->RunAll(), 3u);
  EXPECT_EQ(order, "abc");
  EXPECT_FALSE(Readable(*inbox));
}

TEST(LoopInbox, WhatIsPostedWhileRunningIsLeftForTheNextTurn) {
  const auto inbox = MakeInbox();
  int runs = 0;
  std::function<void()> again = [&] {
    if (++runs < 3) inbox->Post(again);
  };
  inbox->Post(again);
  for (int turn = 1; turn <= 3; ++turn) {
    EXPECT_TRUE(Readable(*inbox));
    EXPECT_EQ(inbox->RunAll(), 1u);
    EXPECT_EQ(runs, turn);
  }
  EXPECT_FALSE(Readable(*inbox));
}

TEST(LoopInbox, ManyPostersLoseNothing) {
  const auto inbox = MakeInbox();
  constexpr int kPosters = 4;
  constexpr int kEach = 5000;
  int ran = 0;
  std::vector<std::thread> posters;
  for (int i = 0; i < kPosters; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) inbox->Post([&ran] { ++ran; });
    });
  }
  while (ran < kPosters * kEach && Readable(*inbox, 30'000)) inbox->RunAll();
  EXPECT_EQ(ran, kPosters * kEach);
  for (std::thread& poster : posters) poster.join();
}

}  // namespace
}  // namespace icarus::broker
