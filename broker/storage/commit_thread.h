// CommitThread: the one writer of the job store. The loop hands it a sealed batch and goes on; what depends on the
// batch leaves when the outcome says that it is on disk.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "broker/ports/job_store.h"

namespace icarus::broker {

// Success: the batch is durable. kOverloaded: the disk is full; the batch is still in flight and another outcome of it
// follows. Any other error: the process must end; nothing is written any more.
struct CommitOutcome {
  std::uint64_t sequence = 0;
  Status status;

  bool final() const { return status || status.error().code != ErrorCode::kOverloaded; }
};

// All but the constructor's `wake` is called by one thread, the loop's.
class CommitThread {
 public:
  // `wake` is called by the commit thread after each new outcome. The store must outlive this.
  CommitThread(JobStore& store, std::function<void()> wake,
               std::chrono::milliseconds retry_interval = std::chrono::seconds(1));
  // Finishes the batch in flight, unless the disk is full: then it was never acknowledged and goes.
  ~CommitThread();
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // REQUIRES !busy().
  void Submit(RecordBatch batch);
  // A batch was submitted whose final outcome has not been taken.
  bool busy() const { return busy_; }

  // The next outcome, in order: for each batch at most one stall, when the disk is found full, then the final one.
  std::optional<CommitOutcome> TakeDone();

  // While stalled: try again now instead of at the next interval. Else nothing.
  void Retry();

 private:
  void Run();
  Status CommitOne(const RecordBatch& batch);
  void Report(std::uint64_t sequence, Status status);
  // Until the interval is over or Retry is called; false when the thread is to end.
  bool WaitForRetry();

  JobStore& store_;
  const std::function<void()> wake_;
  const std::chrono::milliseconds retry_interval_;
  bool busy_ = false;            // the loop's
  std::optional<Error> failed_;  // the commit thread's: why it writes nothing any more

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<RecordBatch> submitted_;
  std::deque<CommitOutcome> done_;
  bool stalled_ = false;
  bool retry_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace icarus::broker
