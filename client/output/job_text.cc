#include "client/output/job_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "client/output/text_table.h"
#include "client/output/words.h"
#include "common/base/clock.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

std::string SecondsBetween(std::int64_t from_ms, std::int64_t to_ms) {
  return FormatDuration(static_cast<double>(std::max<std::int64_t>(0, to_ms - from_ms)) / 1000);
}

// Days for what is old; FormatDuration below two days.
std::string Age(std::int64_t from_ms, std::int64_t to_ms) {
  const std::int64_t days = (to_ms - from_ms) / 86'400'000;
  return days >= 2 ? std::to_string(days) + " d" : SecondsBetween(from_ms, to_ms);
}

std::string StateText(TaskState state) { return std::string(StateName(state)); }

std::string TagsText(const JobSummary& job) {
  std::string text;
  for (const auto& [name, value] : job.tags) {
    if (!text.empty()) text += ", ";
    text += name;
    text += "=";
    text += value;
  }
  return text;
}

std::string SolverText(const JobSummary& job) {
  if (job.solver.empty()) return job.analysis;
  std::string text = job.analysis + " by " + job.solver;
  const std::string& identity = job.solver_identity;
  if (!identity.empty()) text += " " + identity.substr(identity.find('@') + 1);
  return text;
}

std::string TimeText(const JobSummary& job) {
  std::string text = FormatUtc(job.submitted_at_ms);
  if (job.finished_at_ms == 0) return text;
  return text + ", finished " + FormatUtc(job.finished_at_ms) + " (after " +
         SecondsBetween(job.submitted_at_ms, job.finished_at_ms) + ")";
}

std::string Line(std::string_view label, const std::string& text) {
  return text.empty() ? std::string() : fmt::format("  {:<10} {}\n", label, Printable(text));
}

std::string JobHead(const JobSummary& job, const TextStyle& style) {
  const std::string name = job.name.empty() ? "" : " \"" + Printable(job.name) + "\"";
  std::string out = fmt::format("job {}{}: {}\n", job.job.value, name,
                                Paint(StateName(job.state), StateColour(job.state), style.colour));
  out += Line("analysis", SolverText(job));
  out += Line("tasks", CountsText(job));
  if (job.incomplete > 0) out += Line("note", Counted(job.incomplete, "completed task") + " with missing points");
  out += Line("user", job.user + fmt::format(", priority {}", job.priority));
  out += Line("tags", TagsText(job));
  out += Line("submitted", TimeText(job));
  return out;
}

// The parameters that differ among the tasks; lists are too long for a table.
std::vector<std::string> VaryingParams(const std::vector<TaskSummary>& tasks) {
  std::set<std::string> names;
  const ValueMap& first = tasks.front().params;
  for (const TaskSummary& task : tasks) {
    for (const auto& [name, value] : task.params) {
      const auto other = first.find(name);
      if (!value.is_list() && (other == first.end() || !(other->second == value))) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

bool TargetsDiffer(const std::vector<TaskSummary>& tasks) {
  return std::any_of(tasks.begin(), tasks.end(), [&](const auto& t) { return t.target != tasks.front().target; });
}

std::string ProgressText(const TaskSummary& task) {
  return task.state == TaskState::kRunning ? fmt::format("{:.0f} %", 100 * task.progress) : std::string();
}

std::vector<Cell> TaskCells(JobId job, const TaskSummary& task, bool with_target,
                            const std::vector<std::string>& params) {
  std::vector<Cell> cells = {FormatTask({job, task.index})};
  if (with_target) cells.emplace_back(task.target);
  for (const std::string& name : params) {
    const auto found = task.params.find(name);
    cells.emplace_back(found == task.params.end() ? std::string() : FormatValue(found->second));
  }
  const bool waits = task.state == TaskState::kPending || task.state == TaskState::kWaiting;
  cells.emplace_back(StateText(task.state), StateColour(task.state));
  cells.emplace_back(task.cached ? "cached" : "");
  cells.emplace_back(ProgressText(task));
  cells.emplace_back(task.attempt > 1 ? std::to_string(task.attempt) : std::string());
  cells.emplace_back(task.worker);
  cells.emplace_back(task.queue_wait_s > 0 ? FormatDuration(task.queue_wait_s) : std::string());
  cells.emplace_back(waits || task.run_s <= 0 ? std::string() : FormatDuration(task.run_s));
  cells.emplace_back(ErrorText(task.error), Colour::kRed);
  return cells;
}

}  // namespace

std::string SubmitLine(const SubmitReply& reply) {
  std::string line = fmt::format("job {}: {}, {} cached", reply.job.value, Counted(reply.tasks, "task"), reply.cached);
  if (reply.probed > 0 && reply.probed < reply.tasks) line += fmt::format(" of the first {}", reply.probed);
  if (reply.existing) line += " (submitted before under this id)";
  return line;
}

std::string JobTableText(const std::vector<JobSummary>& jobs, std::int64_t now_wall_ms, const TextStyle& style) {
  if (jobs.empty()) return "no jobs\n";
  TextTable table;
  table.AddColumn("job", Align::kRight);
  table.AddColumn("name");
  table.AddColumn("analysis");
  table.AddColumn("solver");
  table.AddColumn("state");
  for (const char* title : {"done", "failed", "cached", "priority"}) table.AddColumn(title, Align::kRight);
  table.AddColumn("user");
  table.AddColumn("age", Align::kRight);
  for (const JobSummary& job : jobs) {
    const std::uint64_t failed = CountOf(job, TaskState::kFailed) + CountOf(job, TaskState::kTimedOut);
    table.AddRow(
        {std::to_string(job.job.value), job.name, job.analysis, job.solver,
         Cell(StateText(job.state), StateColour(job.state)), fmt::format("{}/{}", FinalCount(job), job.total),
         Cell(failed > 0 ? std::to_string(failed) : "", Colour::kRed), job.cached > 0 ? std::to_string(job.cached) : "",
         job.priority != 0 ? std::to_string(job.priority) : "", job.user, Age(job.submitted_at_ms, now_wall_ms)});
  }
  table.DropEmptyColumns();
  return table.Render(style);
}

std::string ShowingLine(std::uint64_t shown, std::uint64_t matching) {
  return shown < matching ? fmt::format("showing {} of {}", shown, matching) : std::string();
}

std::string TaskTableText(JobId job, const std::vector<TaskSummary>& tasks, const TextStyle& style) {
  if (tasks.empty()) return "no tasks\n";
  const std::vector<std::string> params = VaryingParams(tasks);
  const bool with_target = TargetsDiffer(tasks);
  TextTable table;
  table.AddColumn("task", Align::kRight);
  if (with_target) table.AddColumn("target");
  for (const std::string& name : params) table.AddColumn(name, Align::kRight);
  table.AddColumn("state");
  table.AddColumn("from");
  for (const char* title : {"progress", "attempt"}) table.AddColumn(title, Align::kRight);
  table.AddColumn("worker");
  for (const char* title : {"waited", "ran"}) table.AddColumn(title, Align::kRight);
  table.AddColumn("error");
  for (const TaskSummary& task : tasks) table.AddRow(TaskCells(job, task, with_target, params));
  table.DropEmptyColumns();
  return table.Render(style);
}

std::string ShowText(const ShowJobReply& reply, const TextStyle& style) {
  std::string out = JobHead(reply.job, style);
  if (!reply.items.empty()) out += "\n" + TaskTableText(reply.job.job, reply.items, style);
  if (reply.next < reply.job.total && !reply.items.empty()) {
    out += fmt::format("more: icarus show {} --after {}\n", reply.job.job.value, reply.items.back().index);
  }
  const std::string failures = FailuresText(reply.job.job, reply.failures, reply.failures.size());
  if (!failures.empty()) out += "\nfailures\n" + failures;
  return out;
}

std::string AttemptsText(const TaskSummary& task, const TextStyle& style) {
  if (task.history.empty()) return "";
  TextTable table;
  table.AddColumn("attempt", Align::kRight);
  table.AddColumn("worker");
  table.AddColumn("ended");
  for (const char* title : {"ran", "cpu", "memory"}) table.AddColumn(title, Align::kRight);
  table.AddColumn("error");
  for (const AttemptRecord& attempt : task.history) {
    table.AddRow({std::to_string(attempt.attempt), attempt.worker, FormatUtc(attempt.ended_at_ms),
                  attempt.run_s > 0 ? FormatDuration(attempt.run_s) : "",
                  attempt.cpu_s ? FormatDuration(*attempt.cpu_s) : "",
                  attempt.max_rss_bytes ? FormatSize(*attempt.max_rss_bytes) : "",
                  Cell(ErrorText(attempt.error), Colour::kRed)});
  }
  table.DropEmptyColumns();
  std::string out = "\nattempts that ended\n" + table.Render(style);
  const auto& tail = task.history.back().output_tail;
  if (!tail) return out;
  out += "the end of what the last one wrote\n";
  for (const std::string& line : Split(Trim(*tail), '\n')) out += "  " + Printable(line) + "\n";
  return out;
}

std::string FailuresText(JobId job, const std::vector<FailureGroup>& failures, std::size_t most) {
  std::vector<FailureGroup> sorted = failures;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  std::string out;
  for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i) {
    const FailureGroup& group = sorted[i];
    const std::string text = ErrorText(TaskError{group.kind, group.message, {}, {}});
    out += fmt::format("  {}, for example {}: {}\n", Counted(group.count, "task"), FormatTask({job, group.example}),
                       Printable(text));
  }
  if (!out.empty()) out += fmt::format("  what the solver wrote: icarus logs {} --failed\n", job.value);
  if (sorted.size() > most) out += fmt::format("  all failures: icarus show {}\n", job.value);
  return out;
}

std::string JobEndLine(const JobSummary& job) {
  std::string line = fmt::format("job {} {}: {}", job.job.value, StateName(job.state), CountsText(job));
  if (job.incomplete > 0) line += fmt::format(", {} with missing points", job.incomplete);
  if (job.finished_at_ms > 0) line += " in " + SecondsBetween(job.submitted_at_ms, job.finished_at_ms);
  return line;
}

}  // namespace icarus::client
