// PlotScale: the numbers along an axis of a plot.
#pragma once

#include <string>
#include <vector>

namespace icarus::client {

struct PlotScale {
  double low = 0;
  double high = 1;
  std::vector<double> ticks;  // within low…high, at multiples of 1, 2 or 5 times a power of ten
  int decimals = 0;           // that tell the ticks apart

  double Fraction(double value) const { return (value - low) / (high - low); }
  // With a true minus sign; in powers of ten beyond 99999.
  std::string Label(double tick) const;
};

// A scale that shows first…last with a little room, and at most `most_ticks` ticks (at least 2). Equal or reversed
// bounds are widened. REQUIRES finite bounds.
PlotScale MakeScale(double first, double last, int most_ticks);

// "2×10⁵", "1.5×10⁶"; plain digits below 10000.
std::string FormatScientific(double value);

}  // namespace icarus::client
