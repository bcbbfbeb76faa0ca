#include "client/output/polar_plot.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/output/plot_canvas.h"
#include "client/output/plot_panel.h"
#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

// Points of the page; a PNG has two pixels a point.
constexpr double kPngScale = 2;
constexpr double kMargin = 26;
constexpr double kPanelWidth = 340;  // of the plotting area
constexpr double kPanelHeight = 310;
constexpr double kPanelLeft = 68;  // of it, for the labels
constexpr double kPanelGap = 22;
constexpr double kHead = 92;  // title, subtitle, panel titles
constexpr double kPanelFoot = 56;
constexpr double kLegendRow = 21;
constexpr double kLegendSample = 30;
constexpr double kLegendGap = 26;
constexpr double kFootnote = 22;
constexpr std::size_t kMostEntries = 12;

constexpr Rgb kPaper{1, 1, 1};

struct Legend {
  std::vector<std::string> entries;
  double entry_width = 0;
  std::size_t columns = 1;
  std::size_t rows = 0;
  double height() const { return rows == 0 ? 0 : static_cast<double>(rows) * kLegendRow + 6; }
};

double PageWidth(const PlotData& data) {
  const double panels = static_cast<double>(data.panels.size());
  return 2 * kMargin + panels * (kPanelLeft + kPanelWidth) + (panels - 1) * kPanelGap;
}

const Font kLegendFont{11.5, kInk, false};

// One series needs no legend when the title names it.
Legend LayOutLegend(PlotCanvas& canvas, const PlotData& data) {
  Legend legend;
  if (data.labels.size() < 2) return legend;
  const double room = PageWidth(data) - 2 * kMargin;
  for (std::size_t i = 0; i < std::min(kMostEntries, data.labels.size()); ++i) {
    legend.entries.push_back(canvas.Fit(data.labels[i], kLegendFont, room - kLegendSample));
  }
  if (data.labels.size() > kMostEntries) {
    legend.entries.push_back(fmt::format("+{} more", data.labels.size() - kMostEntries));
  }
  for (const std::string& entry : legend.entries) {
    legend.entry_width =
        std::max(legend.entry_width, kLegendSample + canvas.TextWidth(entry, kLegendFont) + kLegendGap);
  }
  legend.columns = std::max<std::size_t>(1, static_cast<std::size_t>((room + kLegendGap) / legend.entry_width));
  legend.rows = (legend.entries.size() + legend.columns - 1) / legend.columns;
  legend.columns = (legend.entries.size() + legend.rows - 1) / legend.rows;
  return legend;
}

void DrawHead(PlotCanvas& canvas, const PlotData& data) {
  const double room = PageWidth(data) - 2 * kMargin;
  const std::string title =
      data.labels.size() == 1 && !data.labels.front().empty() ? data.title + ", " + data.labels.front() : data.title;
  const Font title_font{18, kInk, true};
  const Font subtitle_font{11.5, kSoft, false};
  canvas.Text({kMargin, 36}, canvas.Fit(title, title_font, room), title_font, Anchor::kLeft);
  canvas.Text({kMargin, 56}, canvas.Fit(data.subtitle, subtitle_font, room), subtitle_font, Anchor::kLeft);
}

void DrawLegend(PlotCanvas& canvas, const PlotData& data, const Legend& legend, double top) {
  for (std::size_t i = 0; i < legend.entries.size(); ++i) {
    const std::size_t row = i / legend.columns;
    const double x = kMargin + static_cast<double>(i - row * legend.columns) * legend.entry_width;
    const double y = top + static_cast<double>(row) * kLegendRow;
    if (i < kMostEntries) {
      const Look look = LookOf(i, data.labels.size());
      canvas.Line({x, y}, {x + kLegendSample - 8, y}, 2.2, look.colour);
      if (look.marked) canvas.Mark({x + (kLegendSample - 8) / 2, y}, look.marker, 3, look.colour);
    }
    canvas.Text({x + kLegendSample, y + 4}, legend.entries[i], kLegendFont, Anchor::kLeft);
  }
}

void DrawPage(PlotCanvas& canvas, const PlotData& data, const Legend& legend, double height) {
  canvas.Fill({0, 0, PageWidth(data), height}, kPaper);
  DrawHead(canvas, data);
  double x = kMargin + kPanelLeft;
  for (const PlotPanel& panel : data.panels) {
    DrawPanel(canvas, panel, {x, kHead, kPanelWidth, kPanelHeight});
    x += kPanelWidth + kPanelGap + kPanelLeft;
  }
  const double legend_top = kHead + kPanelHeight + kPanelFoot + kLegendRow / 2;
  DrawLegend(canvas, data, legend, legend_top);
  const Font font{10.5, kSoft, false};
  canvas.Text({kMargin, height - 14}, canvas.Fit(data.footnote, font, PageWidth(data) - 2 * kMargin), font,
              Anchor::kLeft);
}

Result<PlotCanvas::Format> FormatOf(const std::string& path) {
  const std::string lower = Lower(path);
  const auto ends_with = [&](std::string_view ending) {
    return lower.size() > ending.size() && std::string_view(lower).substr(lower.size() - ending.size()) == ending;
  };
  if (ends_with(".svg")) return PlotCanvas::Format::kSvg;
  if (ends_with(".png")) return PlotCanvas::Format::kPng;
  return UsageError("'" + path + "' is not a plot that can be written; the name must end in .svg or .png", "plot");
}

}  // namespace

Status CheckPlotPath(const std::string& path) {
  ICARUS_TRY(FormatOf(path));
  return {};
}

Result<std::string> RenderPlot(const PlotData& data, const std::string& path) {
  ICARUS_ASSIGN(const auto format, FormatOf(path));
  PlotCanvas scratch(PlotCanvas::Format::kSvg, 1, 1, 1);  // measures text before the page's size is known
  const Legend legend = LayOutLegend(scratch, data);
  const double height = kHead + kPanelHeight + kPanelFoot + legend.height() + (data.footnote.empty() ? 8 : kFootnote);
  PlotCanvas canvas(format, PageWidth(data), height, kPngScale);
  DrawPage(canvas, data, legend, height);
  return canvas.Finish();
}

Status WritePlot(const std::string& path, const std::vector<TaskResult>& results) {
  ICARUS_TRY(CheckPlotPath(path));
  ICARUS_ASSIGN(const PlotData data, BuildPlotData(results));
  ICARUS_ASSIGN(const std::string bytes, RenderPlot(data, path));
  return WriteFileAtomically(path, bytes, 0644);
}

}  // namespace icarus::client
