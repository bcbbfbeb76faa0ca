// IoThread: one worker thread with two bounded queues, for work that may wait for the disk: the cache (reads urgent,
// writes in the background), blobs and pages of results. Completions go back through a LoopInbox.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace icarus::broker {

// Within a lane jobs run in the order they were posted; every urgent job runs before any background job. So a read that
// is posted after a write may run before it.
enum class Lane { kUrgent, kBackground };

struct LaneLimit {
  std::size_t jobs = 1024;
  std::size_t bytes = 64u << 20;
};

class IoThread {
 public:
  // Must not throw, and must not destroy the thread that runs it.
  using Job = std::function<void()>;

  IoThread(LaneLimit urgent, LaneLimit background);
  // Waits for the job that runs; those that have not begun are dropped unrun.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // False, and the job is not kept: its lane is full. `bytes`: what the job holds in memory; a lane that is empty takes
  // one job of any size. Any thread.
  [[nodiscard]] bool TryPost(Lane lane, Job job, std::size_t bytes = 0);

  // True when everything posted before has run; false when that took longer than `timeout`.
  bool Drain(std::chrono::milliseconds timeout);

 private:
  struct Entry {
    Job job;
    std::size_t bytes = 0;
  };
  struct Queue {
    LaneLimit limit;
    std::deque<Entry> entries;
    std::size_t bytes = 0;
  };

  void Run();
  // The next entry; REQUIRES that there is one, and the mutex.
  Entry TakeNext();
  bool Idle() const { return !running_ && queues_[0].entries.empty() && queues_[1].entries.empty(); }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::condition_variable idle_;
  std::array<Queue, 2> queues_;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace icarus::broker
