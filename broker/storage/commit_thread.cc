#include "broker/storage/commit_thread.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/crash_point.h"

namespace icarus::broker {

CommitThread::CommitThread(JobStore& store, std::function<void()> wake, std::chrono::milliseconds retry_interval)
    : store_(store), wake_(std::move(wake)), retry_interval_(retry_interval), thread_([this] { Run(); }) {}

CommitThread::~CommitThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void CommitThread::Submit(RecordBatch batch) {
  ICARUS_CHECK(!busy_);
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    submitted_ = std::move(batch);
  }
  changed_.notify_one();
}

std::optional<CommitOutcome> CommitThread::TakeDone() {
  const std::lock_guard lock(mutex_);
  if (done_.empty()) return std::nullopt;
  CommitOutcome outcome = std::move(done_.front());
  done_.pop_front();
  if (outcome.final()) busy_ = false;
  return outcome;
}

void CommitThread::Retry() {
  {
    const std::lock_guard lock(mutex_);
    if (!stalled_) return;
    retry_ = true;
  }
  changed_.notify_one();
}

void CommitThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || submitted_.has_value(); });
    if (!submitted_) return;
    const RecordBatch batch = *std::exchange(submitted_, std::nullopt);
    lock.unlock();
    Report(batch.sequence, CommitOne(batch));
    lock.lock();
  }
}

// The final status of the batch; a stall is reported on the way.
Status CommitThread::CommitOne(const RecordBatch& batch) {
  if (failed_) return *failed_;
  CrashPoint("commit.before");
  Status status = store_.Commit(batch);
  if (!status && status.error().code == ErrorCode::kOverloaded) {
    Report(batch.sequence, status);
    do {
      if (!WaitForRetry()) return IoError("the broker ended while the disk was full");
      status = store_.Commit(batch);
    } while (!status && status.error().code == ErrorCode::kOverloaded);
  }
  if (!status) failed_ = status.error();
  CrashPoint("commit.after");
  return status;
}

void CommitThread::Report(std::uint64_t sequence, Status status) {
  {
    const std::lock_guard lock(mutex_);
    stalled_ = !status && status.error().code == ErrorCode::kOverloaded;
    retry_ = false;
    done_.push_back({sequence, std::move(status)});
  }
  wake_();
}

bool CommitThread::WaitForRetry() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, retry_interval_, [this] { return stopping_ || retry_; });
  retry_ = false;
  return !stopping_;
}

}  // namespace icarus::broker
