#include <algorithm>

#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/verbs.h"
#include "client/cli/waiting.h"
#include "client/output/json.h"

namespace icarus::client {
namespace {

Error StillGoing(const std::vector<JobId>& asked, const std::vector<JobSummary>& seen) {
  std::string names;
  for (const JobId job : asked) {
    const bool ended = std::any_of(seen.begin(), seen.end(),
                                   [&](const JobSummary& one) { return one.job == job && IsFinal(one.state); });
    if (!ended) names += (names.empty() ? "" : ",") + std::to_string(job.value);
  }
  return Error::Make(ErrorCode::kNotYet, "job " + names + " has not ended within --timeout and goes on; 'icarus wait " +
                                             names + "' waits again");
}

}  // namespace

Result<int> RunWait(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  FollowOptions follow;
  if (select.timeout_ms)
    follow.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*select.timeout_ms);
  ICARUS_TRY(session.CatchInterrupt());
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<JobId> jobs, ResolveJobs(*client, select.selectors));
  ICARUS_ASSIGN(const Client::WaitOutcome outcome, FollowJobs(session, jobs, follow));
  if (outcome.end == RunEnd::kInterrupted) return kExitInterrupted;
  if (outcome.end == RunEnd::kDeadline) return StillGoing(jobs, outcome.jobs);
  ICARUS_ASSIGN(const int code, TellEnds(session, outcome.jobs));
  if (session.text()) return code;
  session.PrintDocument(outcome.jobs.size() == 1 ? JobJson(outcome.jobs.front()) : JobsJson(outcome.jobs));
  return code;
}

}  // namespace icarus::client
