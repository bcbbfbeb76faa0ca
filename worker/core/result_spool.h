// Results with their bodies, kept from the end of an attempt until the broker has them on disk. Not thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "worker/core/attempt.h"

namespace icarus::worker {

class ResultSpool {
 public:
  // Messages hold at most so many results, so many bodies (limits::kMaxParts) and about so many bytes of them.
  static constexpr std::size_t kBatchResults = 4096;
  static constexpr std::size_t kBatchBodies = 2048;
  static constexpr std::size_t kBatchBytes = 16u << 20;
  static constexpr std::size_t kKeptFileBytes = 4096;  // what naming a kept file takes at most, about

  struct Kept {
    ExecutionResult result;
    Body body;  // null: none
    AttemptId attempt;
    bool launched = false;
    bool to_send = true;
    Instant sent_at{0};
  };

  // REQUIRES that none is kept of this execution. It leaves with the next TakeBatches.
  void Keep(ExecutionResult result, Body body, AttemptId attempt, bool launched);
  const Kept* Find(ExecutionId execution) const;
  // The one that was kept, if any.
  std::optional<Kept> Forget(ExecutionId execution);

  void SendAllAgain();
  void SendOverdueAgain(Instant sent_before);
  // When the oldest unacknowledged one was sent.
  std::optional<Instant> OldestSent();
  std::vector<SendToBroker> TakeBatches(Instant now);

  bool empty() const { return kept_.empty(); }
  std::size_t size() const { return kept_.size(); }
  std::vector<HeldExecution> Held() const;  // by execution id

 private:
  struct Sent {
    Instant at;
    ExecutionId execution;
  };
  bool IsCurrent(const Sent& sent) const;

  std::unordered_map<ExecutionId, Kept> kept_;
  std::deque<ExecutionId> to_send_;  // may name what is gone or already sent
  std::deque<Sent> sent_;            // oldest first; may name what is gone or sent again
};

}  // namespace icarus::worker
