#include "common/transport/poll_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include "common/base/unique_fd.h"
#include "common/transport/wake_fd.h"
#include "tests/unit/common/transport/fixture.h"

namespace icarus {
namespace {

using namespace std::chrono_literals;

class PollLoopTest : public TransportTest {};

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reading.Reset(ends[0]);
    writing.Reset(ends[1]);
  }
  UniqueFd reading;
  UniqueFd writing;
};

TEST_F(PollLoopTest, TellsWhichDescriptorIsReady) {
  Pipe one;
  Pipe other;
  PollLoop loop;
  const auto a = loop.Add(one.reading.get());
  const auto b = loop.Add(other.reading.get());
  ASSERT_EQ(::write(other.writing.get(), "x", 1), 1);
  ASSERT_TRUE(loop.Wait(kPatience).has_value());
  EXPECT_FALSE(loop.Readable(a));
  EXPECT_TRUE(loop.Readable(b));
  ASSERT_TRUE(loop.Wait(0ns).has_value());
  EXPECT_TRUE(loop.Readable(b)) << "what is left unread is reported again";
}

TEST_F(PollLoopTest, HangUpIsReadable) {
  Pipe pipe;
  PollLoop loop;
  const auto source = loop.Add(pipe.reading.get());
  pipe.writing.Reset();
  ASSERT_TRUE(loop.Wait(kPatience).has_value());
  EXPECT_TRUE(loop.Readable(source));
}

TEST_F(PollLoopTest, WritableOnlyWhenAskedFor) {
  Pipe pipe;
  PollLoop loop;
  const auto source = loop.Add(pipe.writing.get(), 0);
  ASSERT_TRUE(loop.Wait(0ns).has_value());
  EXPECT_FALSE(loop.Writable(source));
  loop.SetEvents(source, PollLoop::kWritable);
  ASSERT_TRUE(loop.Wait(kPatience).has_value());
  EXPECT_TRUE(loop.Writable(source));
  loop.SetEvents(source, 0);
  ASSERT_TRUE(loop.Wait(0ns).has_value());
  EXPECT_FALSE(loop.Writable(source));
}

TEST_F(PollLoopTest, ReportsASocketUntilItIsDrained) {
  const auto router = Bind(Ipc("r"));
  const auto dealer = Connect(Ipc("r"));
  PollLoop loop;
  const auto source = loop.Add(*router);
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(1, "one")).has_value());
  ASSERT_TRUE(SendWhenWritable(*dealer, Note(2, "two")).has_value());
  int received = 0;
  // One message a turn: the second must be announced although no new one arrives after the first was read.
  while (received < 2) {
    ASSERT_TRUE(loop.Wait(kPatience).has_value());
    ASSERT_TRUE(loop.Readable(source)) << received;
    if (router->Receive()) ++received;
  }
}

TEST_F(PollLoopTest, ATimeoutIsRoundedUpNotDown) {
  PollLoop loop;
  const auto start = std::chrono::steady_clock::now();
  constexpr int kWaits = 20;
  for (int i = 0; i < kWaits; ++i) ASSERT_TRUE(loop.Wait(50us).has_value());
  EXPECT_GE(std::chrono::steady_clock::now() - start, kWaits * 1ms) << "a deadline that is near is not polled for";
  ASSERT_TRUE(loop.Wait(-1h).has_value());
}

TEST_F(PollLoopTest, WhatWasRemovedIsNotWaitedFor) {
  Pipe one;
  Pipe other;
  PollLoop loop;
  const auto a = loop.Add(one.reading.get());
  const auto b = loop.Add(other.reading.get());
  ASSERT_EQ(::write(one.writing.get(), "x", 1), 1);
  ASSERT_EQ(::write(other.writing.get(), "x", 1), 1);
  loop.Remove(a);
  one.reading.Reset();
  ASSERT_TRUE(loop.Wait(kPatience).has_value());
  EXPECT_TRUE(loop.Readable(b));
}

TEST_F(PollLoopTest, ASignalEndsTheWaitWithoutAnError) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  Pipe pipe;
  PollLoop loop;
  loop.Add(pipe.reading.get());
  const pthread_t waiter = ::pthread_self();
  std::atomic<bool> done{false};
  std::jthread interrupter([&] {
    while (!done) {  // again and again, so that one falls into the wait
      ::pthread_kill(waiter, SIGUSR1);
      std::this_thread::yield();
    }
  });
  const Status waited = loop.Wait(kPatience);
  done = true;
  interrupter.join();
  EXPECT_TRUE(waited.has_value());
  ASSERT_EQ(::sigaction(SIGUSR1, &before, nullptr), 0);
}

TEST_F(PollLoopTest, AnotherThreadWakesIt) {
  const auto wake = WakeFd::Create();
  ASSERT_TRUE(wake.has_value());
  PollLoop loop;
  const auto source = loop.Add(wake->fd());
  std::jthread waker([&] {
    wake->Wake();
    wake->Wake();
  });
  ASSERT_TRUE(loop.Wait(kPatience).has_value());
  ASSERT_TRUE(loop.Readable(source));
  waker.join();
  wake->Clear();
  ASSERT_TRUE(loop.Wait(0ns).has_value());
  EXPECT_FALSE(loop.Readable(source));
}

}  // namespace
}  // namespace icarus
