#include "client/cli/assignments.h"
#include "client/cli/exit_codes.h"
#include "client/cli/since.h"
#include "client/cli/task_states.h"
#include "client/cli/verbs.h"
#include "client/output/job_text.h"
#include "client/output/json.h"
#include "common/base/clock.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

Result<ListJobs> BuildRequest(const ListOptions& options) {
  ListJobs request;
  ICARUS_ASSIGN(request.states, ParseStates(options.states));
  ICARUS_ASSIGN(request.tags, ParseAssignments(options.tags, "tag"));
  ICARUS_ASSIGN(request.since_wall_ms, ParseSince(options.since));
  request.name = options.name;
  request.user = options.user;
  request.limit = options.limit;
  return request;
}

}  // namespace

Result<int> RunList(Session& session) {
  ICARUS_ASSIGN(ListJobs request, BuildRequest(session.options().list));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const ListJobsReply reply, client->Ask<ListJobsReply>(std::move(request)));
  if (!session.text()) {
    session.PrintDocument(JobsJson(reply.jobs));
  } else if (session.quiet()) {
    for (const JobSummary& job : reply.jobs) session.Print(std::to_string(job.job.value) + "\n");
  } else {
    session.Print(JobTableText(reply.jobs, ReadClocks().wall_ms, session.style()));
  }
  session.Note(ShowingLine(reply.jobs.size(), reply.matching));
  return kExitDone;
}

}  // namespace icarus::client
