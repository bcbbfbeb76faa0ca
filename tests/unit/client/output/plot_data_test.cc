#include "client/output/plot_data.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

PlotData Build(const std::vector<TaskResult>& results) {
  const auto data = BuildPlotData(results);
  EXPECT_TRUE(data) << data.error().message;
  return data ? *data : PlotData{};
}

TEST(PlotData, PolarsBecomeThreePanels) {
  const PlotData data = Build(SampleSweep());
  EXPECT_EQ(data.title, "naca0012, naca2412");
  EXPECT_EQ(data.subtitle, "xfoil 6.99  ·  M 0");
  EXPECT_EQ(data.labels, (std::vector<std::string>{"naca0012, Re 2×10⁵", "naca0012, Re 5×10⁵", "naca0012, Re 1×10⁶",
                                                   "naca2412, Re 2×10⁵", "naca2412, Re 5×10⁵", "naca2412, Re 1×10⁶"}));
  ASSERT_EQ(data.panels.size(), 3u);
  EXPECT_EQ(data.panels[0].title, "Lift curve");
  EXPECT_EQ(data.panels[0].x_label, "angle of attack α (°)");
  EXPECT_EQ(data.panels[1].x_label, "drag coefficient cd");
  EXPECT_EQ(data.panels[1].y_label, "lift coefficient cl");
  EXPECT_EQ(data.panels[2].title, "Moment curve");
  for (const PlotPanel& panel : data.panels) EXPECT_EQ(panel.series.size(), 6u);
  EXPECT_EQ(data.footnote, "6 points have no result and leave gaps");
}

TEST(PlotData, MissingPointsAreGapsInTheirPlace) {
  TaskResult result = SamplePolar(0, "naca0012", 1e6);
  result.body.missing = {{{{"aoa", Number(-1)}}, "did not converge"}};
  const PlotData data = Build({result});
  const auto& lift = data.panels[0].series[0];
  ASSERT_EQ(lift.size(), 3u);
  EXPECT_TRUE(lift[0].drawn());
  EXPECT_FALSE(lift[1].drawn());
  EXPECT_TRUE(lift[2].drawn());
  EXPECT_DOUBLE_EQ(lift[2].y, 0.2371);
  EXPECT_EQ(data.footnote, "1 point has no result and leaves a gap");
  EXPECT_EQ(data.labels, (std::vector<std::string>{""}));
}

TEST(PlotData, DragThatWasNotComputedIsSaidNotDrawn) {
  TaskResult inviscid = SamplePolar(0, "naca0012", 1e6);
  for (auto& row : inviscid.body.rows) row[2] = Value();
  EXPECT_EQ(Build({inviscid}).panels[1].note, "cd was not computed");
  const PlotData both = Build({inviscid, SamplePolar(1, "naca2412", 1e6)});
  EXPECT_EQ(both.panels[1].note, "1 of 2 curves has no cd");
  EXPECT_EQ(both.panels[0].note, "");
}

TEST(PlotData, TasksOfASweepOverTheAngleAreOneCurve) {
  std::vector<TaskResult> results;
  for (const double aoa : {0.0, 1.0, 2.0, 3.0}) {
    TaskResult result = SamplePolar(static_cast<TaskIndex>(results.size()), "naca0012", 1e6);
    result.item.task.params["aoa"] = Number(aoa);
    result.body.rows = {{Number(aoa), Number(0.1 * aoa), Number(0.006), Number(0)}};
    result.body.missing.clear();
    results.push_back(result);
  }
  results[1].body = {};
  results[1].item.task.state = TaskState::kFailed;
  const PlotData data = Build(results);
  EXPECT_EQ(data.labels.size(), 1u);
  ASSERT_EQ(data.panels[0].series[0].size(), 4u);
  EXPECT_FALSE(data.panels[0].series[0][1].drawn());
  EXPECT_DOUBLE_EQ(data.panels[0].series[0][3].x, 3);
  EXPECT_EQ(data.footnote, "1 task did not complete");
}

TEST(PlotData, OtherTablesAreTheirNumbersAgainstTheFirst) {
  TaskResult result = SamplePolar(0, "case", 1e6);
  result.body.columns = {"name", "time", "a", "b", "c", "d"};
  result.body.rows.clear();
  for (int i = 0; i < 3; ++i) {
    result.body.rows.push_back({Value("x"), Number(i), Number(1), Value(), Number(3), Number(4)});
  }
  result.body.missing.clear();
  const PlotData data = Build({result});
  ASSERT_EQ(data.panels.size(), 3u);
  EXPECT_EQ(data.panels[0].x_label, "time (s)");
  EXPECT_EQ(data.panels[0].y_label, "a");
  EXPECT_EQ(data.panels[1].y_label, "c") << "a column without numbers is left out";
  EXPECT_EQ(data.panels[2].y_label, "d");
}

TEST(PlotData, OneRowATaskIsDrawnAgainstTheParameterThatVaries) {
  std::vector<TaskResult> results;
  for (const double velocity : {10.0, 20.0}) {
    TaskResult result = SamplePolar(static_cast<TaskIndex>(results.size()), "wing", 1e6);
    result.item.task.params = {{"velocity", Number(velocity)}};
    result.body.columns = {"x_np", "static_margin"};
    result.body.rows = {{Number(0.1), Number(velocity)}};
    result.body.missing.clear();
    results.push_back(result);
  }
  const PlotData data = Build(results);
  EXPECT_EQ(data.labels.size(), 1u);
  EXPECT_EQ(data.panels[0].x_label, "velocity (m/s)");
  EXPECT_EQ(data.panels[0].series[0].size(), 2u);
}

TEST(PlotData, NothingToPlotIsSaid) {
  EXPECT_FALSE(BuildPlotData({}));
  EXPECT_FALSE(BuildPlotData({SampleFailure(0, "naca0012", 1e6)}));
  TaskResult words = SamplePolar(0, "x", 1);
  words.body.columns = {"name"};
  words.body.rows = {{Value("a")}};
  words.body.missing.clear();
  const auto data = BuildPlotData({words});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace icarus::client
