#include "worker/core/result_spool.h"

#include <algorithm>

#include "common/base/check.h"

namespace icarus::worker {

void ResultSpool::Keep(ExecutionResult result, Body body, AttemptId attempt, bool launched) {
  const ExecutionId execution = result.execution;
  const bool is_new =
      kept_.try_emplace(execution, Kept{std::move(result), std::move(body), attempt, launched, true, Instant(0)})
          .second;
  ICARUS_CHECK(is_new);
  to_send_.push_back(execution);
}

const ResultSpool::Kept* ResultSpool::Find(ExecutionId execution) const {
  const auto found = kept_.find(execution);
  return found == kept_.end() ? nullptr : &found->second;
}

std::optional<ResultSpool::Kept> ResultSpool::Forget(ExecutionId execution) {
  auto node = kept_.extract(execution);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void ResultSpool::SendAllAgain() {
  to_send_.clear();
  sent_.clear();
  for (const HeldExecution& held : Held()) {
    kept_.at(held.execution).to_send = true;
    to_send_.push_back(held.execution);
  }
}

bool ResultSpool::IsCurrent(const Sent& sent) const {
  const Kept* kept = Find(sent.execution);
  return kept != nullptr && !kept->to_send && kept->sent_at == sent.at;
}

void ResultSpool::SendOverdueAgain(Instant sent_before) {
  while (!sent_.empty() && (!IsCurrent(sent_.front()) || sent_.front().at <= sent_before)) {
    if (IsCurrent(sent_.front())) {
      kept_.at(sent_.front().execution).to_send = true;
      to_send_.push_back(sent_.front().execution);
    }
    sent_.pop_front();
  }
}

std::optional<Instant> ResultSpool::OldestSent() {
  while (!sent_.empty() && !IsCurrent(sent_.front())) sent_.pop_front();
  if (sent_.empty()) return std::nullopt;
  return sent_.front().at;
}

std::vector<SendToBroker> ResultSpool::TakeBatches(Instant now) {
  std::vector<SendToBroker> batches;
  Results results;
  std::vector<Body> bodies;
  std::size_t bytes = 0;
  const auto seal = [&] {
    if (!results.results.empty()) batches.push_back(SendToBroker{std::move(results), std::move(bodies)});
    results = {};
    bodies = {};
    bytes = 0;
  };
  for (const ExecutionId execution : to_send_) {
    const auto found = kept_.find(execution);
    if (found == kept_.end() || !found->second.to_send) continue;
    Kept& kept = found->second;
    kept.to_send = false;
    kept.sent_at = now;
    sent_.push_back(Sent{now, execution});
    results.results.push_back(kept.result);
    if (kept.result.kept) bytes += kept.result.kept->size() * kKeptFileBytes;
    if (kept.body != nullptr) {
      results.results.back().body = static_cast<std::int32_t>(bodies.size());
      bodies.push_back(kept.body);
      bytes += kept.body->size();
    }
    if (results.results.size() == kBatchResults || bodies.size() == kBatchBodies || bytes >= kBatchBytes) seal();
  }
  seal();
  to_send_.clear();
  return batches;
}

std::vector<HeldExecution> ResultSpool::Held() const {
  std::vector<HeldExecution> held;
  held.reserve(kept_.size());
  for (const auto& [execution, kept] : kept_) held.push_back(HeldExecution{execution, kept.result.token, true});
  std::sort(held.begin(), held.end(),
            [](const HeldExecution& a, const HeldExecution& b) { return a.execution < b.execution; });
  return held;
}

}  // namespace icarus::worker
