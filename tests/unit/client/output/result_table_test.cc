#include "client/output/result_table.h"

#include <gtest/gtest.h>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

std::vector<std::string> Titles(const ResultTable& table) {
  std::vector<std::string> titles;
  for (const ParamColumn& param : table.params) titles.push_back(param.title);
  return titles;
}

// A task of a sweep over the angle: its parameter is a number, and a column repeats it.
TaskResult OneAngle(TaskIndex index, double aoa) {
  TaskResult result = SamplePolar(index, "naca0012", 1e6);
  result.item.task.params["aoa"] = Number(aoa);
  result.body.rows = {{Number(aoa), Number(0.1 * aoa), Number(0.006), Number(0)}};
  result.body.missing.clear();
  return result;
}

TEST(ResultTable, FoldsASweepOfTwoTargetsByThreeNumbers) {
  const ResultTable table = FoldResults(SampleSweep());
  EXPECT_EQ(Titles(table), (std::vector<std::string>{"mach", "reynolds"}))
      << "a list is a column of the results already";
  EXPECT_FALSE(table.params[0].varies);
  EXPECT_TRUE(table.params[1].varies);
  EXPECT_TRUE(table.target_varies);
  EXPECT_FALSE(table.solver_varies);
  ASSERT_EQ(table.rows.size(), 18u);
  EXPECT_EQ(table.missing, 6u);
  const ResultRow& row = table.rows[15];  // the first of task 5
  EXPECT_EQ(FormatTask(table.tasks[row.task].ref), "7.5");
  EXPECT_EQ(table.tasks[row.task].target, "naca2412");
  EXPECT_EQ(table.tasks[row.task].params[1], Number(1e6));
  EXPECT_EQ(row.cells[0], Number(-2));
}

TEST(ResultTable, AMissingPointStandsInItsPlace) {
  TaskResult result = SamplePolar(0, "naca0012", 1e6);
  result.body.missing = {{{{"aoa", Number(5)}}, "late"}, {{{"aoa", Number(-1)}}, "between"}};
  const ResultTable table = FoldResults({result});
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.rows[1].kind, RowKind::kMissing);
  EXPECT_EQ(table.rows[1].cells[0], Number(-1));
  EXPECT_TRUE(table.rows[1].cells[1].is_null());
  EXPECT_EQ(table.rows[1].error, "between");
  EXPECT_EQ(table.rows[3].error, "late");
}

TEST(ResultTable, AFailedTaskIsOneRowWithItsReason) {
  const ResultTable table = FoldResults({SamplePolar(0, "naca0012", 2e5), SampleFailure(1, "naca0012", 5e5)});
  ASSERT_EQ(table.rows.size(), 4u);
  const ResultRow& row = table.rows[3];
  EXPECT_EQ(row.kind, RowKind::kTask);
  EXPECT_EQ(row.state(table.tasks[row.task]), "failed");
  EXPECT_EQ(row.error, "solver_crashed: killed by signal 8");
  EXPECT_TRUE(row.cells[0].is_null());
}

TEST(ResultTable, WhatATimeoutLeftIsPartial) {
  TaskResult result = SamplePolar(0, "naca0012", 2e5);
  result.item.task.state = TaskState::kTimedOut;
  result.item.task.error = TaskError{TaskErrorKind::kTimedOut, "after 2 s", {}, {}};
  const ResultTable table = FoldResults({result});
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.rows[0].state(table.tasks[0]), "partial");
  EXPECT_EQ(table.rows[2].state(table.tasks[0]), "missing");
  EXPECT_EQ(table.rows[3].state(table.tasks[0]), "timed_out");
}

TEST(ResultTable, ASweptParameterThatAColumnRepeatsAppearsOnce) {
  TaskResult failed = SampleFailure(2, "naca0012", 1e6);
  failed.item.task.params["aoa"] = Number(4);
  const ResultTable table = FoldResults({OneAngle(0, 0), OneAngle(1, 2), failed});
  EXPECT_EQ(Titles(table), (std::vector<std::string>{"mach", "reynolds"}));
  EXPECT_EQ(table.rows[2].cells[0], Number(4)) << "the failed task shows its angle in the column";
}

TEST(ResultTable, AParameterThatOnlySharesItsNameIsNotMistakenForTheColumn) {
  std::vector<TaskResult> results = {OneAngle(0, 0), OneAngle(1, 2), SampleFailure(2, "naca0012", 1e6)};
  for (TaskResult& result : results) result.item.task.params["xtr_top"] = Number(1);
  for (std::size_t i = 0; i < 2; ++i) {
    results[i].body.columns.emplace_back("xtr_top");
    results[i].body.rows[0].push_back(Number(0.7));
  }
  EXPECT_EQ(Titles(FoldResults(results)), (std::vector<std::string>{"mach", "reynolds"}));
  EXPECT_TRUE(FoldResults(results).rows[2].cells[4].is_null());

  results[1].item.task.params["xtr_top"] = Number(0.5);
  EXPECT_EQ(Titles(FoldResults(results)), (std::vector<std::string>{"mach", "reynolds", "param.xtr_top"}))
      << "a sweep of it must not lose its value";
}

TEST(ResultTable, AFailedTaskIsNotCreditedWithAResultThatEqualsAParameter) {
  std::vector<TaskResult> results = {OneAngle(0, 0), SampleFailure(1, "naca0012", 1e6)};
  for (TaskResult& result : results) result.item.task.params["xtr_top"] = Number(1);
  results[0].body.columns.emplace_back("xtr_top");
  results[0].body.rows[0].push_back(Number(1));
  EXPECT_TRUE(FoldResults(results).rows[1].cells[4].is_null());
}

TEST(ResultTable, ColumnsOfDifferentResultsAreUnited) {
  TaskResult other = SamplePolar(1, "naca0012", 1e6);
  other.body.columns = {"cl", "extra"};
  other.body.rows = {{Number(0.5), Number(9)}};
  other.body.missing.clear();
  const ResultTable table = FoldResults({SamplePolar(0, "naca0012", 1e6), other});
  EXPECT_EQ(table.columns, (std::vector<std::string>{"aoa", "cl", "cd", "cm", "extra"}));
  EXPECT_TRUE(table.rows[3].cells[0].is_null());
  EXPECT_EQ(table.rows[3].cells[1], Number(0.5));
  EXPECT_EQ(table.rows[3].cells[4], Number(9));
}

TEST(ResultTable, ATaskWithoutColumnsIsARow) {
  const ResultTable table = FoldResults({SampleCommand(0, 0), SampleCommand(1, 3)});
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].state(table.tasks[0]), "completed");
  EXPECT_EQ(table.rows[1].error, "nonzero_exit: exited with 3");
}

TEST(ResultTable, TheSolversIdentityIsToldOnlyWhenAllShareIt) {
  TaskResult failed = SampleFailure(0, "naca0012", 2e5);
  failed.item.identity.clear();
  EXPECT_EQ(FoldResults({failed, SamplePolar(1, "naca0012", 5e5)}).identity, "xfoil@6.99+1a2b3c4d");
  failed.item.identity = "xfoil@6.98+ffffffff";
  EXPECT_EQ(FoldResults({failed, SamplePolar(1, "naca0012", 5e5)}).identity, "");
}

TEST(ResultTable, TheShapeOfAllMakesEachPartLikeTheWhole) {
  std::vector<TaskResult> results = SampleSweep();
  results.push_back(OneAngle(6, 3));
  results.push_back(SampleFailure(7, "naca0012", 2e5));
  results.back().body.columns.emplace_back("extra");
  results.back().item.task.params["late"] = Number(1);
  TableShape shape;
  for (const TaskResult& result : results) shape.Add(result);
  const ResultTable whole = FoldResults(results);
  std::size_t at = 0;
  for (const TaskResult& result : results) {
    const ResultTable part = FoldResults({result}, shape);
    EXPECT_EQ(part.columns, whole.columns);
    EXPECT_EQ(Titles(part), Titles(whole));
    for (const ResultRow& row : part.rows) {
      ASSERT_LT(at, whole.rows.size());
      EXPECT_EQ(row.cells, whole.rows[at].cells);
      EXPECT_EQ(part.tasks[0].params, whole.tasks[whole.rows[at].task].params);
      ++at;
    }
  }
  EXPECT_EQ(at, whole.rows.size());
}

TEST(ResultTable, NoResultsNoRows) { EXPECT_TRUE(FoldResults({}).rows.empty()); }

}  // namespace
}  // namespace icarus::client
