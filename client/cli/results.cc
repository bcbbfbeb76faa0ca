#include "client/cli/results.h"

#include <algorithm>

#include "client/cli/exit_codes.h"
#include "client/cli/user_file.h"
#include "client/output/csv.h"
#include "client/output/derived.h"
#include "client/output/polar_plot.h"
#include "client/output/result_json.h"
#include "client/output/result_text.h"

namespace icarus::client {
namespace {

Status CheckEnded(const JobSummary& job) {
  if (IsFinal(job.state)) return {};
  const std::string id = std::to_string(job.job.value);
  return Error::Make(ErrorCode::kNotYet, "job " + id + " has not ended: " + std::to_string(FinalCount(job)) + " of " +
                                             std::to_string(job.total) + " tasks have; 'icarus wait " + id +
                                             "' waits for it");
}

void PrintResults(const Session& session, const Selection& selection, const std::vector<TaskResult>& results) {
  if (session.csv()) {
    session.Print(ResultCsv(FoldResults(results)));
  } else if (session.text()) {
    if (!session.quiet()) session.Print(ResultText(results, session.style()));
  } else {
    session.PrintJson(selection.index ? TaskResultJson(results.front()) : JobResultJson(selection.job, results));
  }
}

}  // namespace

Result<std::vector<TaskResult>> FetchSelection(Client& client, const Selection& selection) {
  std::vector<TaskResult> results;
  const std::uint64_t first = selection.index.value_or(0);
  ICARUS_TRY(client.FetchResults(selection.job, first, selection.index ? 1 : 0,
                                 [&](ResultItem item, ResultBody body) -> Status {
                                   results.push_back({selection.job, std::move(item), std::move(body)});
                                   return {};
                                 }));
  const bool right = !results.empty() && (!selection.index || results.front().item.task.index == *selection.index);
  if (right) return results;
  const std::string name = selection.index ? "task " + FormatTask({selection.job, *selection.index})
                                           : "result of job " + std::to_string(selection.job.value);
  return Error::Make(ErrorCode::kNotFound, "there is no " + name, "task");
}

Result<TaskResult> FetchEndedTask(Client& client, TaskRef task) {
  ICARUS_ASSIGN(std::vector<TaskResult> results, FetchSelection(client, {task.job, task.index}));
  TaskResult& result = results.front();
  if (IsFinal(result.item.task.state)) return std::move(result);
  return Error::Make(ErrorCode::kNotYet, "task " + FormatTask(task) + " has not ended: it is " +
                                             std::string(StateName(result.item.task.state)) + "; 'icarus wait " +
                                             std::to_string(task.job.value) + "' waits for its job");
}

Result<JobSummary> FetchJob(Client& client, JobId job) {
  ListJobs request;
  request.jobs = {job};
  ICARUS_ASSIGN(ListJobsReply reply, client.Ask<ListJobsReply>(std::move(request)));
  if (reply.jobs.size() == 1) return std::move(reply.jobs.front());
  return Error::Make(ErrorCode::kNotFound, "there is no job " + std::to_string(job.value), "job");
}

Result<int> PrintResult(Session& session, const Selection& selection) {
  const std::string& plot = session.options().select.plot;
  if (!plot.empty()) ICARUS_TRY(CheckPlotPath(plot));
  ICARUS_ASSIGN(Client * client, session.Broker());
  std::vector<TaskResult> results;
  int code = kExitDone;
  if (selection.index) {
    ICARUS_ASSIGN(TaskResult result, FetchEndedTask(*client, {selection.job, *selection.index}));
    if (result.item.task.state != TaskState::kCompleted) code = kExitIncomplete;
    results.push_back(std::move(result));
  } else {
    ICARUS_ASSIGN(const JobSummary job, FetchJob(*client, selection.job));
    ICARUS_TRY(CheckEnded(job));
    code = ExitCodeOf(job);
    ICARUS_ASSIGN(results, FetchSelection(*client, selection));
    const bool lost = std::any_of(results.begin(), results.end(), [](const TaskResult& result) {
      return result.item.task.state != TaskState::kCompleted;
    });
    if (lost && code == kExitDone) code = kExitIncomplete;
  }
  if (!plot.empty()) {
    if (Status drawn = WritePlot(plot, results); !drawn) return AboutUserPath(std::move(drawn).error(), "plot");
    session.Note("drawn: " + plot);
  }
  PrintResults(session, selection, results);
  return code;
}

}  // namespace icarus::client
