#include "worker/solvers/panel/section_spline.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/base/check.h"

namespace icarus::worker {
namespace {

// How far panels shrink toward the leading edge: 1 would be to nothing. At the trailing edge they always do, where the
// Kutta condition makes the whole circulation depend on them.
constexpr double kNoseClustering = 0.8;

// First derivatives at the knots of the cubic spline through (s, f) with zero third derivative in the end intervals:
// a tridiagonal system solved by elimination.
std::vector<double> KnotSlopes(const std::vector<double>& s, const std::vector<double>& f) {
  const std::size_t n = s.size();
  std::vector<double> upper(n), slope(n);
  const auto width = [&](std::size_t i) { return s[i + 1] - s[i]; };
  const auto secant = [&](std::size_t i) { return (f[i + 1] - f[i]) / width(i); };
  upper[0] = 1;
  slope[0] = 2 * secant(0);
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const double before = 1 / width(i - 1);
    const double after = 1 / width(i);
    const double diagonal = 2 * (before + after) - before * upper[i - 1];
    upper[i] = after / diagonal;
    slope[i] = (3 * (secant(i - 1) * before + secant(i) * after) - before * slope[i - 1]) / diagonal;
  }
  slope[n - 1] = (2 * secant(n - 2) - slope[n - 2]) / (1 - upper[n - 2]);
  for (std::size_t i = n - 1; i-- > 0;) slope[i] -= upper[i] * slope[i + 1];
  return slope;
}

struct Cubic {
  double value;
  double derivative;
};

// Hermite's cubic over one interval; t in [0, 1].
Cubic Hermite(double t, double h, double f0, double f1, double d0, double d1) {
  const double c2 = 3 * (f1 - f0) - h * (2 * d0 + d1);
  const double c3 = h * (d0 + d1) - 2 * (f1 - f0);
  return {f0 + t * (h * d0 + t * (c2 + t * c3)), d0 + t * (2 * c2 + 3 * t * c3) / h};
}

// Share of a side's length, from the trailing edge, after the fraction t of its panels.
double Spacing(double t) {
  const double both_ends = 0.5 * (1 - std::cos(std::numbers::pi * t));
  const double trailing_edge = 1 - std::cos(std::numbers::pi * t / 2);
  return kNoseClustering * both_ends + (1 - kNoseClustering) * trailing_edge;
}

}  // namespace

SectionSpline::SectionSpline(const AirfoilPoints& points) : points_(points) {
  ICARUS_CHECK(points.size() >= 3);
  s_.push_back(0);
  for (std::size_t i = 1; i < points.size(); ++i) {
    s_.push_back(s_.back() + std::hypot(points.x[i] - points.x[i - 1], points.y[i] - points.y[i - 1]));
  }
  slope_x_ = KnotSlopes(s_, points_.x);
  slope_y_ = KnotSlopes(s_, points_.y);
}

SectionSpline::Place SectionSpline::At(double s) const {
  const auto above = std::upper_bound(s_.begin() + 1, s_.end() - 1, s);
  const auto i = static_cast<std::size_t>(above - s_.begin()) - 1;
  const double h = s_[i + 1] - s_[i];
  const double t = (s - s_[i]) / h;
  const Cubic x = Hermite(t, h, points_.x[i], points_.x[i + 1], slope_x_[i], slope_x_[i + 1]);
  const Cubic y = Hermite(t, h, points_.y[i], points_.y[i + 1], slope_y_[i], slope_y_[i + 1]);
  return {x.value, y.value, x.derivative, y.derivative};
}

double SectionSpline::LeadingEdge() const {
  const double end_x = 0.5 * (points_.x.front() + points_.x.back());
  const double end_y = 0.5 * (points_.y.front() + points_.y.back());
  std::size_t farthest = 1;
  double largest = 0;
  for (std::size_t i = 1; i + 1 < points_.size(); ++i) {
    const double distance = std::hypot(points_.x[i] - end_x, points_.y[i] - end_y);
    if (distance > largest) {
      largest = distance;
      farthest = i;
    }
  }
  // Going round, the distance from the trailing edge rises up to the leading edge and falls after it.
  const auto still_rising = [&](double s) {
    const Place place = At(s);
    return (place.x - end_x) * place.dx + (place.y - end_y) * place.dy > 0;
  };
  double low = s_[farthest - 1];
  double high = s_[farthest + 1];
  if (!still_rising(low) || still_rising(high)) return s_[farthest];
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (still_rising(middle) ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

AirfoilPoints Repanel(const AirfoilPoints& points, int panels) {
  ICARUS_CHECK(panels >= 4);
  const SectionSpline spline(points);
  const double nose = spline.LeadingEdge();
  const int upper = (panels + 1) / 2;
  const int lower = panels - upper;
  AirfoilPoints result;
  for (int i = 0; i <= panels; ++i) {
    const double s =
        i <= upper ? nose * Spacing(static_cast<double>(i) / upper)
                   : spline.length() - (spline.length() - nose) * Spacing(static_cast<double>(panels - i) / lower);
    const auto place = spline.At(s);
    result.x.push_back(place.x);
    result.y.push_back(place.y);
  }
  return result;
}

}  // namespace icarus::worker
