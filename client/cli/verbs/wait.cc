#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/verbs.h"
#include "client/cli/waiting.h"
#include "client/output/json.h"

namespace icarus::client {
namespace {

Error StillGoing(const std::vector<JobSummary>& jobs) {
  std::string names;
  for (const JobSummary& job : jobs) {
    if (!IsFinal(job.state)) names += (names.empty() ? "" : ", ") + std::to_string(job.job.value);
  }
  return Error::Make(ErrorCode::kNotYet, "not yet: the time of --timeout is over and job " +
                                             (names.empty() ? "state is not known" : names + " goes on"));
}

}  // namespace

Result<int> RunWait(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  FollowOptions follow;
  if (select.timeout_ms) follow.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*select.timeout_ms);
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<JobId> jobs, ResolveJobs(*client, select.selectors));
  ICARUS_ASSIGN(const Client::WaitOutcome outcome, FollowJobs(session, jobs, follow));
  if (outcome.end == RunEnd::kInterrupted) return kExitInterrupted;
  if (outcome.end == RunEnd::kDeadline) return StillGoing(outcome.jobs);
  ICARUS_ASSIGN(const int code, TellEnds(session, outcome.jobs));
  if (session.text()) return code;
  session.PrintDocument(outcome.jobs.size() == 1 ? JobJson(outcome.jobs.front()) : JobsJson(outcome.jobs));
  return code;
}

}  // namespace icarus::client
