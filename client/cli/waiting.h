// Waiting for jobs at the command line: progress on stderr, Ctrl-C, and how their end is told.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "client/cli/session.h"
#include "client/lib/client.h"

namespace icarus::client {

struct FollowOptions {
  std::optional<TimePoint> deadline;
  bool progress = true;                             // a bar or lines on stderr, unless switched off for all
  std::function<void(const JobUpdate&)> on_update;  // may be empty
};

// Follows the jobs until each is final, the deadline, or Ctrl-C, which says `job 7 goes on`. The jobs as last seen, in
// the order given.
Result<Client::WaitOutcome> FollowJobs(Session& session, const std::vector<JobId>& jobs, const FollowOptions& follow);

// Tells on stderr how each job ended: a line, and for one that did not complete its first errors and the command that
// shows the rest. The exit code of the worst.
Result<int> TellEnds(Session& session, const std::vector<JobSummary>& jobs);

}  // namespace icarus::client
