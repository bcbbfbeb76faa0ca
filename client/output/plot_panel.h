// One panel of a plot: axes, grid and curves. And the colours that curves have in all panels and in the legend.
#pragma once

#include <cstddef>

#include "client/output/plot_canvas.h"
#include "client/output/plot_data.h"

namespace icarus::client {

inline constexpr Rgb kInk{0.13, 0.15, 0.18};
inline constexpr Rgb kSoft{0.40, 0.43, 0.47};

// How a curve is told from the others.
struct Look {
  Rgb colour;
  Marker marker = Marker::kCircle;
  bool marked = true;  // each of its points
};

// Up to seven curves have colours of all kinds and marks of their own; more have the steps of one range of colours.
// REQUIRES series < count.
Look LookOf(std::size_t series, std::size_t count);

// `area` is what the axes enclose; titles and numbers stand above, left of and below it.
void DrawPanel(PlotCanvas& canvas, const PlotPanel& panel, const Box& area);

}  // namespace icarus::client
