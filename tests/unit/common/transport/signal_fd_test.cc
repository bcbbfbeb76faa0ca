#include "common/transport/signal_fd.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>

#include "common/transport/poll_loop.h"

namespace icarus {
namespace {

// Each test runs in a child, whose signal mask is its own.
int InChild(int (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<SignalEvent> AwaitSignal(SignalFd& signals) {
  PollLoop loop;
  loop.Add(signals.fd());
  if (!loop.Wait(std::chrono::seconds(10))) return std::nullopt;
  return signals.Read();
}

TEST(SignalFd, ReadsABlockedSignalAndItsSender) {
  EXPECT_EQ(InChild([] {
              auto signals = SignalFd::Block({SIGTERM, SIGINT});
              if (!signals || signals->Read()) return 1;
              ::kill(::getpid(), SIGTERM);
              const auto event = AwaitSignal(*signals);
              if (!event || event->number != SIGTERM || event->sender != ::getpid() || event->value) return 2;
              return signals->Read() ? 3 : 0;
            }),
            0);
}

TEST(SignalFd, GivesTheValueOfAQueuedSignal) {
  EXPECT_EQ(InChild([] {
              auto signals = SignalFd::Block({SIGTERM});
              sigval value{};
              value.sival_int = 12'000;
              if (!signals || ::sigqueue(::getpid(), SIGTERM, value) != 0) return 1;
              const auto event = AwaitSignal(*signals);
              return event && event->value == 12'000 ? 0 : 2;
            }),
            0);
}

TEST(SignalFd, UnblockingRestoresDefaults) {
  EXPECT_EQ(InChild([] {
              auto signals = SignalFd::Block({SIGTERM, SIGUSR1});
              ::signal(SIGTERM, SIG_IGN);
              UnblockAllSignals();
              ::raise(SIGTERM);
              return 1;
            }),
            128 + SIGTERM);
}

}  // namespace
}  // namespace icarus
