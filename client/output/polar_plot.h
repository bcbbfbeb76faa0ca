// Plots of results as files: polars as lift curve, drag polar and moment curve, other tables as x-y plots
// (plot_data.h).
#pragma once

#include <string>
#include <vector>

#include "client/output/plot_data.h"
#include "client/output/task_result.h"
#include "common/base/result.h"

namespace icarus::client {

// Refuses a path that ends neither in .svg nor in .png: kUsage. To be called before work that the plot is made from.
Status CheckPlotPath(const std::string& path);

// Writes the file as a whole, in place of one that is there. kUsage when the results hold nothing to plot.
Status WritePlot(const std::string& path, const std::vector<TaskResult>& results);

// The bytes of the file that WritePlot writes for a path with this ending.
Result<std::string> RenderPlot(const PlotData& data, const std::string& path);

}  // namespace icarus::client
