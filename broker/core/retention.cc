// How long ended jobs are kept.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace icarus::broker {
namespace {

// However short the setting: long enough for whoever waits to see the end and to fetch the results, and for a
// submission whose answer was lost to be recognised.
constexpr std::int64_t kShortestRetentionMs = 60'000;
constexpr std::int64_t kAgainMs = 5'000;      // one that is being looked at is tried again
constexpr std::size_t kExpiriesPerTurn = 64;  // jobs that go in one turn

}  // namespace

std::int64_t BrokerCore::ExpiryOf(std::int64_t ended_ms) const {
  return ended_ms + std::max(config_.retention_ms, kShortestRetentionMs);
}

void BrokerCore::KeepForRetention(JobId job, std::int64_t ended_ms) { expiries_.insert({ExpiryOf(ended_ms), job}); }

void BrokerCore::ForgetRetention(const Job& job) { expiries_.erase({ExpiryOf(job.ended_ms), job.id()}); }

bool BrokerCore::IsWaitedFor(JobId job) const {
  const auto dependents = dependents_.find(job);
  if (dependents == dependents_.end()) return false;
  return std::any_of(dependents->second.begin(), dependents->second.end(), [this](JobId id) {
    const auto dependent = jobs_.find(id);
    return dependent != jobs_.end() && dependent->second->held() && !dependent->second->finished();
  });
}

bool BrokerCore::IsLookedAt(JobId job) const {
  const auto watchers = watchers_of_.find(job);
  if (watchers != watchers_of_.end()) {
    for (const WatchKey& key : watchers->second) {
      const WatchState& watch = watches_.at(key);
      if (watch.dirty || !watch.acknowledged) return true;
    }
  }
  return std::any_of(pending_reads_.begin(), pending_reads_.end(),
                     [&](const auto& read) { return read.second.job == job; });
}

void BrokerCore::ExpireJobs(Now now, Outbox& out) {
  std::vector<JobId> again;
  for (std::size_t i = 0; i < kExpiriesPerTurn; ++i) {
    if (expiries_.empty() || expiries_.begin()->first > now.monotonic_ms()) break;
    const JobId id = expiries_.begin()->second;
    expiries_.erase(expiries_.begin());
    const auto job = jobs_.find(id);
    if (job == jobs_.end() || !job->second->finished()) continue;
    if (ExpiryOf(job->second->ended_ms) > now.monotonic_ms())
      continue;  // put off earlier, and retried since: it has a later one
    if (IsLookedAt(id) || IsWaitedFor(id)) {
      again.push_back(id);
    } else {
      DropJob(*job->second, now, out);
    }
  }
  for (const JobId id : again) expiries_.insert({now.monotonic_ms() + kAgainMs, id});
  if (!expiries_.empty() && expiries_.begin()->first <= now.monotonic_ms()) more_work_ = true;
}

void BrokerCore::DropJob(const Job& job, Now now, Outbox& out) {
  TellJob("job_expired", job, "", now, out);
  tasks_cleaned_ += job.total();
  const JobId id = job.id();
  out.Write(DeleteJob{id});
  out.Log("job expired", {{"job", std::to_string(id.value)}});
  by_submit_id_.erase(SubmitKey::Of(job.record().user, job.record().id));
  admission_.DropJob(job.record().user);
  for (const JobId upstream : UpstreamsOf(job)) {
    const auto dependents = dependents_.find(upstream);
    if (dependents != dependents_.end()) dependents->second.erase(id);
  }
  dependents_.erase(id);
  watchers_of_.erase(id);
  jobs_.erase(id);
}

}  // namespace icarus::broker
