// The grid of angles on which a polar is marched: whole multiples of `march` degrees.
#pragma once

#include <cmath>

namespace icarus {

// Of a step: nearer than this to a grid point an angle is that point.
inline constexpr double kOnMarchGrid = 1e-6;

// Both in degrees.
inline bool IsOnMarchGrid(double aoa, double march) {
  const double steps = std::abs(aoa) / march;
  return std::abs(steps - std::round(steps)) < kOnMarchGrid;
}

}  // namespace icarus
