#include <cstdio>

#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/verbs.h"
#include "client/cli/waiting.h"
#include "client/output/json.h"

namespace icarus::client {

Result<int> RunWatch(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  if (session.csv()) return UsageError("watch prints text or JSON lines, not CSV", "o");
  ICARUS_TRY(session.CatchInterrupt());
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<JobId> jobs, ResolveJobs(*client, select.selectors));
  FollowOptions follow;
  follow.progress = session.text();
  if (session.json()) {
    follow.on_update = [&session](const JobUpdate& update) {  // a line a change
      for (const JobSummary& job : update.jobs) session.PrintJson(JobJson(job));
      std::fflush(stdout);
    };
  }
  ICARUS_ASSIGN(const Client::WaitOutcome outcome, FollowJobs(session, jobs, follow));
  if (outcome.end == RunEnd::kInterrupted) return kExitInterrupted;
  return TellEnds(session, outcome.jobs);
}

}  // namespace icarus::client
