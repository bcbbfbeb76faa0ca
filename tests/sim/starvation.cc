#include "tests/sim/starvation.h"

#include <algorithm>
#include <utility>

namespace icarus::sim {
namespace {

// Nothing but the queue can keep a task of it: not the cache, a time, another job, or its own limit.
bool IsPlain(const JobSpec& spec) {
  const bool cacheable = spec.analysis != "noop" && spec.cache != CachePolicy::kNone;
  const bool timed = spec.delay_ms > 0 || spec.deadline_ms > 0 || spec.queue_timeout_ms > 0;
  const bool waits = !spec.after.empty() || !spec.after_any.empty() || spec.max_running > 0;
  return !cacheable && !timed && !waits;
}

}  // namespace

void StarvationWatch::OnBrokerStarted() {
  ready_since_.clear();
  served_.clear();
  unknown_at_ms_ = 0;
  for (const auto& [id, record] : durable_.dispatches) {
    records_.insert(id);
    for (const auto& task : record.tasks) {
      touched_.insert(task.job);
      handed_out_.insert({task.job, task.index});
    }
  }
}

StarvationWatch::Level StarvationWatch::LevelOf(const broker::JobRecord& job) {
  const JobSpec& spec = job.spec;
  return {{spec.analysis, spec.solver, spec.solver_identity, spec.resources.cpus}, job.user, spec.priority};
}

bool StarvationWatch::MustBeReady(JobId id, const StoredJob& job, const std::set<JobId>& ended) const {
  const bool may_have_ended =
      ended.contains(id) || (job.status && (job.status->remainder || job.status->finished_at_ms));
  return IsPlain(job.record.spec) && !may_have_ended && !touched_.contains(id) && job.tasks.empty();
}

bool StarvationWatch::IsFirstTime(const StoredJob& job, const broker::DispatchRecord& record) const {
  return IsPlain(job.record.spec) && std::none_of(record.tasks.begin(), record.tasks.end(), [&](const auto& task) {
           return handed_out_.contains({task.job, task.index}) || job.tasks.contains(task.index);
         });
}

std::string StarvationWatch::Check(const broker::DispatchRecord& record, std::int64_t now_ms,
                                   const std::set<JobId>& ended) {
  const auto found = durable_.jobs.find(record.tasks.front().job);
  if (found == durable_.jobs.end()) {
    unknown_at_ms_ = now_ms;  // of which level it is cannot be told yet
    return {};
  }
  const Level level = LevelOf(found->second.record);
  Served& served = served_[level];
  if (served.at_ms != now_ms) served.before_ms = std::exchange(served.at_ms, now_ms);
  if (served.before_ms == 0) served.before_ms = -1;
  const bool counts = IsFirstTime(found->second, record);
  std::string wrong;
  for (const auto& [id, job] : durable_.jobs) {
    if (id == found->first || !MustBeReady(id, job, ended)) continue;
    const std::int64_t seen_ms = ready_since_.try_emplace(id, now_ms).first->second;
    const Level other = LevelOf(job.record);
    if (!counts || other.kind != level.kind || other == level) continue;
    const auto last = served_.find(other);
    const std::int64_t since_ms = std::max({seen_ms, last == served_.end() ? 0 : last->second.at_ms, unknown_at_ms_});
    const std::int64_t bound_ms = aging_ms_ * std::max(0, level.priority - other.priority + 1);
    if (served.before_ms <= since_ms + bound_ms) continue;
    wrong = "job " + std::to_string(id.value) + " of priority " + std::to_string(other.priority) + " waits since " +
            std::to_string(since_ms) + " ms, and one of priority " + std::to_string(level.priority) + " is served at " +
            std::to_string(now_ms) + " ms, as at " + std::to_string(served.before_ms) + " ms; the bound is " +
            std::to_string(bound_ms) + " ms";
  }
  return wrong;
}

std::string StarvationWatch::OnDispatch(const broker::DispatchRecord& record, std::int64_t now_ms,
                                        const std::set<JobId>& ended) {
  if (aging_ms_ == 0 || record.tasks.empty() || !records_.insert(record.id).second) return {};
  std::string wrong = Check(record, now_ms, ended);
  for (const auto& task : record.tasks) {
    touched_.insert(task.job);
    handed_out_.insert({task.job, task.index});
  }
  return wrong;
}

}  // namespace icarus::sim
