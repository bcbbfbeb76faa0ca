#include "client/cli/exit_codes.h"
#include "client/cli/results.h"
#include "client/cli/submission.h"
#include "client/cli/verbs.h"
#include "client/cli/waiting.h"
#include "client/output/job_text.h"
#include "client/output/json.h"

namespace icarus::client {
namespace {

// stdout belongs to what is printed in the end, when that is a document; then the id is told on stderr alone.
bool PrintsIdAtOnce(const Session& session) {
  const SubmitOptions& submit = session.options().submit;
  return !submit.result && (!submit.wait || session.text());
}

Result<int> PrintEnd(Session& session, const JobSummary& job) {
  ICARUS_ASSIGN(const int code, TellEnds(session, {job}));
  if (session.options().submit.result) {
    ICARUS_TRY(PrintResult(session, {job.job, std::nullopt}));
  } else if (!session.text()) {
    session.PrintDocument(JobJson(job));
  }
  return code;
}

}  // namespace

Result<int> RunSubmit(Session& session) {
  const SubmitOptions& submit = session.options().submit;
  const bool waits = submit.wait || submit.result;
  ICARUS_ASSIGN(const SubmitReply reply, SendJob(session, submit, waits));
  if (PrintsIdAtOnce(session)) {
    TellSubmitted(session, reply);
  } else {
    session.Note(SubmitLine(reply));
  }
  if (!waits) return kExitDone;
  ICARUS_ASSIGN(const Client::WaitOutcome outcome, FollowJobs(session, {reply.job}, {}));
  if (outcome.end == RunEnd::kInterrupted) return kExitInterrupted;
  return PrintEnd(session, outcome.jobs.front());
}

}  // namespace icarus::client
