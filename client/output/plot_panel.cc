#include "client/output/plot_panel.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "client/output/plot_scale.h"

namespace icarus::client {
namespace {

constexpr std::size_t kMostMarked = 64;  // points of a curve that are marked one by one
constexpr Rgb kGrid{0.905, 0.915, 0.925};
constexpr Rgb kZero{0.72, 0.74, 0.77};
constexpr Rgb kEmpty{0.97, 0.97, 0.975};

// Okabe and Ito's palette for all kinds of colour vision (jfly.uni-koeln.de/color, 2008), without its yellow, which is
// too light for lines on white.
constexpr std::array<Rgb, 7> kPalette = {{{0.000, 0.447, 0.698},
                                          {0.835, 0.369, 0.000},
                                          {0.000, 0.620, 0.451},
                                          {0.800, 0.475, 0.655},
                                          {0.902, 0.624, 0.000},
                                          {0.337, 0.706, 0.914},
                                          {0.200, 0.200, 0.200}}};
// Points of the viridis colour map (van der Walt and Smith, 2015): an order that is seen in grey too. For many curves.
constexpr std::array<Rgb, 6> kSequence = {{{0.267, 0.005, 0.329},
                                           {0.254, 0.265, 0.530},
                                           {0.164, 0.471, 0.558},
                                           {0.128, 0.633, 0.523},
                                           {0.369, 0.789, 0.383},
                                           {0.678, 0.840, 0.190}}};

struct Bounds {
  double low = INFINITY;
  double high = -INFINITY;
  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// One panel's plotting area with its scales.
class PanelDrawer {
 public:
  PanelDrawer(PlotCanvas& canvas, const PlotPanel& panel, const Box& area)
      : canvas_(canvas), panel_(panel), area_(area) {
    Bounds x;
    Bounds y;
    for (const auto& points : panel.series) {
      for (const PlotPoint& point : points) {
        if (!point.drawn()) continue;
        x.Add(point.x);
        y.Add(point.y);
      }
    }
    empty_ = x.low > x.high;
    if (empty_) return;
    x_ = MakeScale(x.low, x.high, 7);
    y_ = MakeScale(y.low, y.high, 8);
  }

  void Draw() {
    DrawTitle();
    if (empty_) {
      canvas_.Fill(area_, kEmpty);
      canvas_.Text({area_.centre_x(), area_.centre_y()}, panel_.note, {13, kSoft, false}, Anchor::kCentre);
    } else {
      DrawGrid();
      canvas_.Clip({area_.x - 3, area_.y - 3, area_.width + 6, area_.height + 6});
      for (std::size_t i = 0; i < panel_.series.size(); ++i) DrawSeries(i);
      canvas_.Unclip();
    }
    DrawAxes();
  }

 private:
  PlotPoint Place(const PlotPoint& point) const {
    return {area_.x + area_.width * x_.Fraction(point.x), area_.bottom() - area_.height * y_.Fraction(point.y)};
  }

  void DrawTitle() {
    const Font font{13.5, kInk, true};
    canvas_.Text({area_.x, area_.y - 10}, panel_.title, font, Anchor::kLeft);
    if (empty_ || panel_.note.empty()) return;
    const Font note{10.5, kSoft, false};
    const double room = area_.width - canvas_.TextWidth(panel_.title, font) - 12;
    canvas_.Text({area_.right(), area_.y - 10}, canvas_.Fit(panel_.note, note, room), note, Anchor::kRight);
  }

  void DrawGrid() {
    for (const double tick : x_.ticks) {
      const double x = area_.x + area_.width * x_.Fraction(tick);
      canvas_.Line({x, area_.y}, {x, area_.bottom()}, 1, tick == 0 ? kZero : kGrid);
    }
    for (const double tick : y_.ticks) {
      const double y = area_.bottom() - area_.height * y_.Fraction(tick);
      canvas_.Line({area_.x, y}, {area_.right(), y}, 1, tick == 0 ? kZero : kGrid);
    }
  }

  void DrawAxes() {
    const Font tick_font{11, kSoft, false};
    const Font label_font{12, kInk, false};
    canvas_.Line({area_.x, area_.bottom()}, {area_.right(), area_.bottom()}, 1.2, kSoft);
    canvas_.Line({area_.x, area_.y}, {area_.x, area_.bottom()}, 1.2, kSoft);
    for (const double tick : x_.ticks) {
      const double x = area_.x + area_.width * x_.Fraction(tick);
      canvas_.Line({x, area_.bottom()}, {x, area_.bottom() + 4}, 1.2, kSoft);
      canvas_.Text({x, area_.bottom() + 18}, x_.Label(tick), tick_font, Anchor::kCentre);
    }
    for (const double tick : y_.ticks) {
      const double y = area_.bottom() - area_.height * y_.Fraction(tick);
      canvas_.Line({area_.x - 4, y}, {area_.x, y}, 1.2, kSoft);
      canvas_.Text({area_.x - 8, y + 4}, y_.Label(tick), tick_font, Anchor::kRight);
    }
    canvas_.Text({area_.centre_x(), area_.bottom() + 40}, canvas_.Fit(panel_.x_label, label_font, area_.width),
                 label_font, Anchor::kCentre);
    canvas_.VerticalText({area_.x - 54, area_.centre_y()}, canvas_.Fit(panel_.y_label, label_font, area_.height),
                         label_font);
  }

  void DrawSeries(std::size_t index) {
    const std::vector<PlotPoint>& points = panel_.series[index];
    const Look look = LookOf(index, panel_.series.size());
    const bool marked = look.marked && points.size() <= kMostMarked;
    std::vector<PlotPoint> run;
    const auto end_run = [&] {
      if (run.size() > 1) canvas_.Polyline(run, look.marked ? 1.8 : 1.3, look.colour);
      // A point between two gaps has no line: without a mark it would not be seen.
      if (marked || run.size() == 1) {
        for (const PlotPoint& at : run) canvas_.Mark(at, look.marker, 2.5, look.colour);
      }
      run.clear();
    };
    for (const PlotPoint& point : points) {
      if (point.drawn())
        run.push_back(Place(point));
      else
        end_run();
    }
    end_run();
  }

  PlotCanvas& canvas_;
  const PlotPanel& panel_;
  Box area_;
  PlotScale x_;
  PlotScale y_;
  bool empty_ = false;
};

}  // namespace

Look LookOf(std::size_t series, std::size_t count) {
  if (count <= kPalette.size()) {
    return {kPalette[series], static_cast<Marker>(series % static_cast<std::size_t>(kMarkerCount)), true};
  }
  const double at = static_cast<double>(series) / static_cast<double>(count - 1) * (kSequence.size() - 1);
  const std::size_t lower = std::min(static_cast<std::size_t>(at), kSequence.size() - 2);
  const double part = at - static_cast<double>(lower);
  const auto mix = [part](double a, double b) { return a + part * (b - a); };
  const Rgb& a = kSequence[lower];
  const Rgb& b = kSequence[lower + 1];
  return {{mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)}, Marker::kCircle, false};
}

void DrawPanel(PlotCanvas& canvas, const PlotPanel& panel, const Box& area) { PanelDrawer(canvas, panel, area).Draw(); }

}  // namespace icarus::client
