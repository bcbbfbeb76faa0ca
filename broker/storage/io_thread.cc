#include "broker/storage/io_thread.h"

#include <algorithm>
#include <utility>

namespace icarus::broker {

IoThread::IoThread(LaneLimit urgent, LaneLimit background) {
  queues_[0].limit = urgent;
  queues_[1].limit = background;
  thread_ = std::thread([this] { Run(); });
}

IoThread::~IoThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  posted_.notify_one();
  thread_.join();
}

bool IoThread::TryPost(Lane lane, Job job, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_[static_cast<std::size_t>(lane)];
    if (queue.entries.size() >= queue.limit.jobs) return false;
    if (!queue.entries.empty() && bytes > queue.limit.bytes - std::min(queue.bytes, queue.limit.bytes)) return false;
    queue.entries.push_back({std::move(job), bytes});
    queue.bytes += bytes;
  }
  posted_.notify_one();
  return true;
}

bool IoThread::Drain(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, timeout, [this] { return Idle(); });
}

IoThread::Entry IoThread::TakeNext() {
  Queue& queue = queues_[0].entries.empty() ? queues_[1] : queues_[0];
  Entry entry = std::move(queue.entries.front());
  queue.entries.pop_front();
  queue.bytes -= entry.bytes;
  return entry;
}

void IoThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    posted_.wait(lock, [this] { return stopping_ || !Idle(); });
    if (stopping_) return;
    Entry entry = TakeNext();
    running_ = true;
    lock.unlock();
    entry.job();
    entry.job = nullptr;  // what it holds goes before anyone is told that it has run
    lock.lock();
    running_ = false;
    if (Idle()) idle_.notify_all();
  }
}

}  // namespace icarus::broker
