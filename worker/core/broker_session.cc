#include "worker/core/broker_session.h"

#include <algorithm>

namespace icarus::worker {

Instant BrokerSession::Backoff() {
  const std::uint32_t doublings = std::min<std::uint32_t>(failures_, 16);
  ++failures_;
  const Instant full = std::min(timing_.first_backoff * (std::int64_t{1} << doublings), timing_.last_backoff);
  // Between half and all of it, so that many workers do not come at once.
  return full / 2 + Instant(static_cast<std::int64_t>(static_cast<double>((full / 2).count()) * random_.Unit()));
}

std::vector<BrokerSession::Step> BrokerSession::Start(Instant now) {
  connect_at_ = now;
  return OnTick(now);
}

std::vector<BrokerSession::Step> BrokerSession::OnConnected(Instant now) {
  state_ = State::kGreeting;
  connect_at_.reset();
  heard_at_ = now;
  greeting_until_ = now + timing_.greeting;
  check_at_ = now + timing_.doubt;
  return {Step::kHello};
}

void BrokerSession::OnConnectFailed(Instant now) {
  state_ = State::kDown;
  connect_at_ = now + Backoff();
}

void BrokerSession::OnDisconnected(Instant now) { OnConnectFailed(now); }

std::vector<BrokerSession::Step> BrokerSession::OnForgotten(Instant now) {
  if (state_ != State::kUp) return {};
  return OnConnected(now);
}

void BrokerSession::OnRefused(Instant now) {
  state_ = State::kDown;
  connect_at_ = now + timing_.last_backoff;
}

void BrokerSession::OnWelcome(Instant now) {
  state_ = State::kUp;
  connect_at_.reset();
  failures_ = 0;
  heard_at_ = now;
  heartbeat_at_ = now;
  check_at_ = now + timing_.doubt;
}

std::vector<BrokerSession::Step> BrokerSession::OnTick(Instant now) {
  if (state_ == State::kDown) {
    if (!connect_at_ || now < *connect_at_) return {};
    connect_at_.reset();
    return {Step::kConnect};
  }
  const bool greeting_failed = state_ == State::kGreeting && now >= greeting_until_;
  if (greeting_failed || (state_ == State::kUp && now >= heard_at_ + timing_.silence)) {
    state_ = State::kDown;
    ++failures_;
    return {Step::kConnect};
  }
  std::vector<Step> steps;
  if (now >= check_at_) {
    if (now >= heard_at_ + timing_.doubt) steps.push_back(Step::kCheckAccess);
    check_at_ = now + timing_.doubt / 2;
  }
  if (state_ == State::kUp && now >= heartbeat_at_) {
    steps.push_back(Step::kHeartbeat);
    heartbeat_at_ = now + timing_.heartbeat;
  }
  return steps;
}

std::optional<Instant> BrokerSession::NextDeadline() const {
  switch (state_) {
    case State::kDown: return connect_at_;
    case State::kGreeting: return std::min(greeting_until_, check_at_);
    case State::kUp: return std::min({heard_at_ + timing_.silence, check_at_, heartbeat_at_});
  }
  return std::nullopt;
}

}  // namespace icarus::worker
