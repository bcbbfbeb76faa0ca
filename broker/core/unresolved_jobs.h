// Jobs that wait until somebody names an identity of their solver, by solver: eight bytes a job.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/model/ids.h"

namespace icarus::broker {

class UnresolvedJobs {
 public:
  void Add(const std::string& solver, JobId job) {
    Waiting& waiting = by_solver_[solver];
    waiting.jobs.push_back(job);
    ++waiting.open;
  }

  // One of this solver's has ended. `is_open` tells the others from it, when those that have ended are too many.
  void Ended(const std::string& solver, const std::function<bool(JobId)>& is_open) {
    const auto found = by_solver_.find(solver);
    if (found == by_solver_.end() || found->second.open == 0) return;
    Waiting& waiting = found->second;
    if (--waiting.open == 0) {
      by_solver_.erase(found);
    } else if (waiting.jobs.size() > 2 * waiting.open + kSpare) {
      std::erase_if(waiting.jobs, [&](JobId job) { return !is_open(job); });
    }
  }

  // Those of the solver, which are forgotten here; some may have ended.
  std::deque<JobId> Take(const std::string& solver) {
    auto node = by_solver_.extract(solver);
    return node.empty() ? std::deque<JobId>() : std::move(node.mapped().jobs);
  }

  std::vector<std::string> solvers() const {
    std::vector<std::string> names;
    for (const auto& [solver, waiting] : by_solver_) names.push_back(solver);
    return names;
  }
  std::size_t size() const {
    std::size_t sum = 0;
    for (const auto& [solver, waiting] : by_solver_) sum += waiting.open;
    return sum;
  }

 private:
  static constexpr std::size_t kSpare = 64;
  struct Waiting {
    std::deque<JobId> jobs;
    std::size_t open = 0;
  };
  std::map<std::string, Waiting> by_solver_;
};

}  // namespace icarus::broker
