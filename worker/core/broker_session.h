// When to connect, greet, say that we live, and doubt the broker. Decides only; WorkerCore turns its steps into
// effects.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/random.h"
#include "worker/core/timing.h"

namespace icarus::worker {

class BrokerSession {
 public:
  enum class Step : std::uint8_t { kConnect, kHello, kHeartbeat, kCheckAccess };

  BrokerSession(const Timing& timing, std::uint64_t seed) : timing_(timing), random_(seed) {}

  // Each returns what is to be done now, in order.
  std::vector<Step> Start(Instant now);
  std::vector<Step> OnConnected(Instant now);
  void OnConnectFailed(Instant now);
  // The connection is of no use any more: a new one is tried soon.
  void OnDisconnected(Instant now);
  // The broker does not know us: greet again on this connection.
  std::vector<Step> OnForgotten(Instant now);
  // It will not have us; try again, but slowly.
  void OnRefused(Instant now);
  void OnWelcome(Instant now);
  void OnHeard(Instant now) { heard_at_ = now; }
  std::vector<Step> OnTick(Instant now);
  std::optional<Instant> NextDeadline() const;

  // Welcomed: messages other than Hello may be sent.
  bool is_up() const { return state_ == State::kUp; }
  bool is_connected() const { return state_ != State::kDown; }

 private:
  enum class State : std::uint8_t { kDown, kGreeting, kUp };

  Instant Backoff();

  Timing timing_;
  Random random_;
  State state_ = State::kDown;
  std::uint32_t failures_ = 0;         // since the last Welcome
  std::optional<Instant> connect_at_;  // kDown
  Instant greeting_until_{0};          // kGreeting
  Instant heard_at_{0};
  Instant heartbeat_at_{0};  // kUp
  Instant check_at_{0};      // kGreeting, kUp
};

}  // namespace icarus::worker
