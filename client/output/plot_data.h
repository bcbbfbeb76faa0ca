// PlotData: what a plot of results shows, before anything is drawn: panels, series, labels and honest notes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/output/task_result.h"

namespace icarus::client {

// Not-a-number in y (or x) is a gap: the line is broken there.
struct PlotPoint {
  double x = 0;
  double y = 0;
  bool drawn() const;
};

struct PlotPanel {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::string note;                            // why something, or everything, is not shown
  std::vector<std::vector<PlotPoint>> series;  // by PlotData::labels
};

struct PlotData {
  std::string title;
  std::string subtitle;             // what all series share
  std::string footnote;             // points and tasks that are not shown; empty when all are
  std::vector<std::string> labels;  // of the series: what differs between them
  std::vector<PlotPanel> panels;
};

// Polars (columns aoa and cl) become lift curve, drag polar and moment curve. Other tables become up to three panels of
// numeric columns against the first one, or, with one row a task, against the innermost numeric parameter that varies.
// Tasks that differ in nothing but the value along x make one series. An error says what is missing for a plot.
Result<PlotData> BuildPlotData(const std::vector<TaskResult>& results);

}  // namespace icarus::client
