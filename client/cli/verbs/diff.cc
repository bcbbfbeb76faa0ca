#include "client/cli/exit_codes.h"
#include "client/cli/results.h"
#include "client/cli/selectors.h"
#include "client/cli/verbs.h"
#include "client/output/result_diff.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

// The results of an ended job or task.
Result<std::vector<TaskResult>> ResultsOf(Client& client, const std::string& word) {
  ICARUS_ASSIGN(const Selection selection, ResolveOne(client, {word}));
  ICARUS_ASSIGN(const JobSummary job, FetchJob(client, selection.job));
  if (!IsFinal(job.state) && !selection.index) {
    return Error::Make(ErrorCode::kNotYet,
                       "job " + std::to_string(job.job.value) + " has not ended; wait for it first");
  }
  return FetchSelection(client, selection);
}

}  // namespace

Result<int> RunDiff(Session& session) {
  const SelectOptions& options = session.options().select;
  if (options.selectors.size() != 2) return UsageError("diff compares two jobs, as in: icarus diff 7 9", "job");
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<TaskResult> a, ResultsOf(*client, options.selectors[0]));
  ICARUS_ASSIGN(const std::vector<TaskResult> b, ResultsOf(*client, options.selectors[1]));
  const ResultDiff diff = CompareResults(a, b, options.rtol);
  if (!session.text()) {
    session.PrintDocument(ResultDiffJson(diff));
  } else if (!session.quiet()) {
    session.Print(ResultDiffText(diff, session.style()));
  }
  std::string note = "compared " + Counted(diff.compared, "task") + "; " + std::to_string(diff.only_a.size()) +
                     " only in the first, " + std::to_string(diff.only_b.size()) + " only in the second";
  if (diff.points_only_a + diff.points_only_b > 0) {
    note += "; points: " + std::to_string(diff.points_only_a) + " only in the first, " +
            std::to_string(diff.points_only_b) + " only in the second";
  }
  session.Note(note);
  return diff.equal() ? kExitDone : kExitIncomplete;
}

}  // namespace icarus::client
