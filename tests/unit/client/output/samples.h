// Small jobs, tasks and polars that the tests of the client's output show.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "client/output/task_result.h"

namespace icarus::client {

inline Value Number(double value) { return Value(value); }

inline Value NumberList(const std::vector<double>& values) {
  Value::List list;
  for (const double value : values) list.emplace_back(value);
  return Value(std::move(list));
}

// How often `part` stands in `text`.
inline std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

inline JobSummary SampleJob() {
  JobSummary job;
  job.job = JobId(7);
  job.name = "wing study";
  job.analysis = "airfoil_polar";
  job.solver = "xfoil";
  job.solver_identity = "xfoil@6.99+1a2b3c4d";
  job.state = TaskState::kRunning;
  job.priority = 5;
  job.user = "anna";
  job.tags = {{"study", "x"}};
  job.submitted_at_ms = 1767322985123;  // 2026-01-02T03:03:05.123Z
  job.total = 60;
  job.counts = {0, 20, 2, 35, 2, 1, 0};
  job.cached = 12;
  job.progress = 0.65;
  return job;
}

inline TaskSummary SampleTask() {
  TaskSummary task;
  task.index = 2;
  task.state = TaskState::kCompleted;
  task.attempt = 1;
  task.worker = "w1";
  task.target = "naca2412";
  task.params = {{"reynolds", Number(1e6)}, {"mach", Number(0)}, {"aoa", NumberList({-2, 0, 2.5})}};
  task.queue_wait_s = 0.25;
  task.run_s = 1.5;
  return task;
}

// A polar with rows at −2 and 0 degrees, and 2.5 missing.
inline TaskResult SamplePolar(TaskIndex index, const std::string& target, double reynolds) {
  TaskResult result;
  result.job = JobId(7);
  result.item.task = SampleTask();
  result.item.task.index = index;
  result.item.task.target = target;
  result.item.task.params["reynolds"] = Number(reynolds);
  result.item.key = "00ff";
  result.item.solver = "xfoil";
  result.item.identity = "xfoil@6.99+1a2b3c4d";
  result.item.host = "node1";
  result.item.computed_at_ms = 1767322985123;
  result.item.compute_s = 0.9;
  result.body.columns = {"aoa", "cl", "cd", "cm"};
  result.body.rows = {{Number(-2), Number(0.022), Number(0.00659), Number(-0.054)},
                      {Number(0), Number(0.2371), Value(), Number(-0.052)}};
  result.body.missing = {{{{"aoa", Number(2.5)}}, "did not converge"}};
  result.body.summary = {{"cl_max", Number(0.2371)}};
  return result;
}

inline TaskResult SampleFailure(TaskIndex index, const std::string& target, double reynolds) {
  TaskResult result = SamplePolar(index, target, reynolds);
  result.body = {};
  result.item.task.state = TaskState::kFailed;
  result.item.task.error = TaskError{TaskErrorKind::kSolverCrashed, "killed by signal 8", std::nullopt, 8};
  return result;
}

// Two targets by three Reynolds numbers: tasks 0…5.
inline std::vector<TaskResult> SampleSweep() {
  std::vector<TaskResult> results;
  for (const char* target : {"naca0012", "naca2412"}) {
    for (const double reynolds : {2e5, 5e5, 1e6}) {
      results.push_back(SamplePolar(static_cast<TaskIndex>(results.size()), target, reynolds));
    }
  }
  return results;
}

inline TaskResult SampleCommand(TaskIndex index, double exit_code) {
  TaskResult result;
  result.job = JobId(8);
  result.item.task.index = index;
  result.item.task.state = exit_code == 0 ? TaskState::kCompleted : TaskState::kFailed;
  result.item.task.params = {{"n", Number(10.0 * index)}};
  result.item.solver = "command";
  result.body.summary = {{"exit_code", Number(exit_code)}};
  if (exit_code != 0) {
    result.item.task.error =
        TaskError{TaskErrorKind::kNonzeroExit, "exited with 3", static_cast<std::int32_t>(exit_code), std::nullopt};
  } else {
    result.body.files = {FileRef{"out.dat", HashBytes("abc"), 3, 0644, "abc"}};
  }
  return result;
}

}  // namespace icarus::client
