#include <cstdio>

#include "client/cli/exit_codes.h"
#include "client/cli/results.h"
#include "client/cli/selectors.h"
#include "client/cli/task_output.h"
#include "client/cli/verbs.h"
#include "client/cli/waiting.h"
#include "client/output/derived.h"

namespace icarus::client {
namespace {

Result<Json> OutputJson(Client& client, const TaskResult& result) {
  Json json = {
      {"task", FormatTask(result.ref())}, {"state", StateName(result.item.task.state)}, {"stdout", ""}, {"stderr", ""}};
  if (result.body.stdout_file) {
    ICARUS_ASSIGN(json["stdout"], client.ReadBlob(*result.body.stdout_file));
  }
  if (result.body.stderr_file) {
    ICARUS_ASSIGN(json["stderr"], client.ReadBlob(*result.body.stderr_file));
  }
  return json;
}

Result<int> PrintFailed(Session& session, Client& client, JobId job) {
  Json all = Json::array();
  ICARUS_ASSIGN(const std::vector<TaskResult> results, FetchSelection(client, {job, std::nullopt}));
  for (const TaskResult& result : results) {
    const TaskState state = result.item.task.state;
    if (state != TaskState::kFailed && state != TaskState::kTimedOut) continue;
    if (!session.text()) {
      ICARUS_ASSIGN(Json json, OutputJson(client, result));
      all.push_back(std::move(json));
      continue;
    }
    session.Print("== " + FormatTask(result.ref()) + " " + std::string(StateName(state)) + ": " +
                  ErrorText(result.item.task.error) + "\n");
    std::fflush(stdout);
    ICARUS_TRY(WriteTaskOutput(client, result.body));
  }
  if (!session.text()) session.PrintDocument(all);
  return kExitDone;
}

Status CheckAttempt(const TaskResult& result, const std::optional<std::uint32_t>& attempt) {
  const std::uint32_t last = result.item.task.attempt;
  if (!attempt || *attempt == last) return {};
  return Error::Make(ErrorCode::kNotFound,
                     "only the last attempt's output is kept: that of attempt " + std::to_string(last));
}

Result<TaskRef> TheTask(Client& client, const Selection& selection) {
  if (selection.index) return TaskRef{selection.job, *selection.index};
  ICARUS_ASSIGN(const JobSummary job, FetchJob(client, selection.job));
  if (job.total == 1) return TaskRef{selection.job, 0};
  const std::string id = std::to_string(selection.job.value);
  return UsageError(
      "job " + id + " has " + std::to_string(job.total) + " tasks; name one (" + id + ".0), or write --failed", "task");
}

}  // namespace

Result<int> RunLogs(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  if (select.follow) ICARUS_TRY(session.CatchInterrupt());
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const Selection selection, ResolveOne(*client, select.selectors));
  if (select.failed && !selection.index) return PrintFailed(session, *client, selection.job);
  ICARUS_ASSIGN(const TaskRef task, TheTask(*client, selection));
  auto result = FetchEndedTask(*client, task);
  if (!result && result.error().code == ErrorCode::kNotYet && select.follow) {
    FollowOptions follow;
    follow.progress = false;
    ICARUS_ASSIGN(const Client::WaitOutcome outcome, FollowJobs(session, {task.job}, follow));
    if (outcome.end == RunEnd::kInterrupted) return kExitInterrupted;
    result = FetchEndedTask(*client, task);
  }
  if (!result) return std::move(result).error();
  ICARUS_TRY(CheckAttempt(*result, select.attempt));
  if (session.text()) {
    ICARUS_TRY(WriteTaskOutput(*client, result->body));
  } else {
    ICARUS_ASSIGN(const Json json, OutputJson(*client, *result));
    session.PrintDocument(json);
  }
  return kExitDone;
}

}  // namespace icarus::client
