#include <cstdio>

#include "client/cli/exit_codes.h"
#include "client/cli/results.h"
#include "client/cli/submission.h"
#include "client/cli/task_output.h"
#include "client/cli/verbs.h"
#include "client/cli/waiting.h"
#include "client/output/derived.h"
#include "client/output/json.h"

namespace icarus::client {
namespace {

// Whether the command has said itself what went wrong: it ran and ended with a code of its own.
bool SpokeForItself(const TaskSummary& task) {
  return task.state == TaskState::kCompleted || (task.error && task.error->kind == TaskErrorKind::kNonzeroExit);
}

Result<int> PassThrough(Session& session, Client& client, const std::vector<TaskResult>& results) {
  int code = kExitDone;
  for (const TaskResult& result : results) {
    const TaskSummary& task = result.item.task;
    if (session.text()) ICARUS_TRY(WriteTaskOutput(client, result.body));
    if (code == kExitDone) code = RunExitCode(task);
    if (SpokeForItself(task)) continue;
    std::fflush(stdout);
    std::fprintf(stderr, "icarus: task %s %s: %s\n", FormatTask(result.ref()).c_str(),
                 std::string(StateName(task.state)).c_str(), ErrorText(task.error).c_str());
  }
  return code;
}

}  // namespace

Result<int> RunRun(Session& session) {
  SubmitOptions options = session.options().submit;
  options.analysis = "command";
  ICARUS_ASSIGN(const SubmitReply reply, SendJob(session, options, !options.detach));
  if (options.detach) {
    TellSubmitted(session, reply);
    return kExitDone;
  }
  FollowOptions follow;
  follow.progress = false;  // stderr is the command's
  ICARUS_ASSIGN(const Client::WaitOutcome outcome, FollowJobs(session, {reply.job}, follow));
  if (outcome.end == RunEnd::kInterrupted) return kExitInterrupted;
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<TaskResult> results, FetchSelection(*client, {reply.job, std::nullopt}));
  ICARUS_ASSIGN(const int code, PassThrough(session, *client, results));
  if (!session.text()) session.PrintDocument(JobJson(outcome.jobs.front()));
  return code;
}

}  // namespace icarus::client
