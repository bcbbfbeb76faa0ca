// Signal: how a test waits for what another thread does, with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace icarus {

// What the condition reads must be changed before Notify is called, and be safe to read from this thread.
class Signal {
 public:
  void Notify() {
    {
      const std::lock_guard lock(mutex_);
      ++notified_;
    }
    changed_.notify_all();
  }

  // Looks at the condition now and after each Notify; false when it has not held within half a minute.
  template <class Condition>
  bool WaitUntil(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::unique_lock lock(mutex_);
    while (true) {
      const unsigned seen = notified_;
      lock.unlock();
      const bool holds = condition();
      lock.lock();
      if (holds) return true;
      if (!changed_.wait_until(lock, deadline, [&] { return notified_ != seen; })) return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned notified_ = 0;
};

}  // namespace icarus
