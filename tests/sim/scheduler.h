// Virtual time: events in order of time, then of arming. The only clock of a simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace icarus::sim {

using Time = std::int64_t;  // nanoseconds since the beginning
inline constexpr Time kMicrosecond = 1'000;
inline constexpr Time kMillisecond = 1'000'000;
inline constexpr Time kSecond = 1'000'000'000;

class Scheduler {
 public:
  Time now() const { return now_; }
  void At(Time time, std::function<void()> action) {
    events_.push({time < now_ ? now_ : time, ++armed_, std::move(action)});
  }
  void After(Time delay, std::function<void()> action) { At(now_ + delay, std::move(action)); }

  // Runs the next event if it is due by then. False: there is none.
  bool Step(Time until) {
    if (events_.empty() || events_.top().time > until) return false;
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    now_ = event.time;
    ++steps_;
    event.action();
    return true;
  }
  std::uint64_t steps() const { return steps_; }

 private:
  struct Event {
    Time time;
    std::uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const { return time != other.time ? time > other.time : order > other.order; }
  };
  Time now_ = 0;
  std::uint64_t armed_ = 0;
  std::uint64_t steps_ = 0;
  std::priority_queue<Event> events_;
};

}  // namespace icarus::sim
