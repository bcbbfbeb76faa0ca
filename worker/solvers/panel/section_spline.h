// A section's contour as a smooth curve, and new points along it.
#pragma once

#include <vector>

#include "common/analysis/airfoil.h"

namespace icarus::worker {

// x(s) and y(s): cubic splines over the polygon's length s (in chords), third derivative zero at both ends.
class SectionSpline {
 public:
  // REQUIRES at least three points, no two neighbours equal.
  explicit SectionSpline(const AirfoilPoints& points);

  struct Place {
    double x, y;    // position
    double dx, dy;  // derivative by s
  };
  Place At(double s) const;
  double length() const { return s_.back(); }
  // The s of the leading edge: where the curve is square to the line from the middle of the trailing edge.
  double LeadingEdge() const;

 private:
  AirfoilPoints points_;
  std::vector<double> s_;
  std::vector<double> slope_x_;
  std::vector<double> slope_y_;
};

// `panels` + 1 points along the spline, ends kept. On each side panels shrink to a quarter of the longest toward the
// leading edge, and as the square of the distance toward the trailing edge. REQUIRES panels >= 4.
AirfoilPoints Repanel(const AirfoilPoints& points, int panels);

}  // namespace icarus::worker
