#include "worker/solvers/polar_summary.h"

#include <cmath>
#include <optional>

#include "worker/solvers/polar_request.h"

namespace icarus::worker {
namespace {

constexpr std::size_t kAoa = 0;
constexpr std::size_t kCl = 1;
constexpr std::size_t kCd = 2;
constexpr double kLinearRangeDeg = 5;

struct Point {
  double aoa;
  double cl;
  std::optional<double> cd;
};

std::vector<Point> ReadPoints(const std::vector<std::vector<Value>>& rows) {
  std::vector<Point> points;
  for (const auto& row : rows) {
    if (row.size() <= kCd || !row[kAoa].is_number() || !row[kCl].is_number()) continue;
    Point point{row[kAoa].number(), row[kCl].number(), std::nullopt};
    if (row[kCd].is_number()) point.cd = row[kCd].number();
    points.push_back(point);
  }
  return points;
}

std::optional<double> ZeroLift(const std::vector<Point>& points) {
  std::optional<double> best;
  const auto offer = [&best](double aoa) {
    if (!best || std::abs(aoa) < std::abs(*best)) best = aoa;
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].cl == 0) offer(points[i].aoa);
    if (i == 0 || points[i - 1].cl * points[i].cl >= 0) continue;
    const double fraction = points[i - 1].cl / (points[i - 1].cl - points[i].cl);
    offer(points[i - 1].aoa + fraction * (points[i].aoa - points[i - 1].aoa));
  }
  return best;
}

std::optional<double> Slope(const std::vector<Point>& points, double within) {
  double n = 0, sum_a = 0, sum_cl = 0;
  for (const Point& p : points) {
    if (std::abs(p.aoa) > within) continue;
    n += 1;
    sum_a += p.aoa;
    sum_cl += p.cl;
  }
  if (n < 2) return std::nullopt;
  double covariance = 0, variance = 0;
  for (const Point& p : points) {
    if (std::abs(p.aoa) > within) continue;
    covariance += (p.aoa - sum_a / n) * (p.cl - sum_cl / n);
    variance += (p.aoa - sum_a / n) * (p.aoa - sum_a / n);
  }
  return covariance / variance;
}

Value Rounded(std::optional<double> value) { return value ? Cell(RoundResult(*value)) : Value(); }

}  // namespace

ValueMap SummarisePolar(const std::vector<std::vector<Value>>& rows) {
  const std::vector<Point> points = ReadPoints(rows);
  std::optional<double> cl_max, aoa_cl_max, cd_min, l_over_d_max;
  for (const Point& p : points) {
    if (!cl_max || p.cl > *cl_max) {
      cl_max = p.cl;
      aoa_cl_max = p.aoa;
    }
    if (!p.cd || *p.cd <= 0) continue;
    if (!cd_min || *p.cd < *cd_min) cd_min = p.cd;
    if (!l_over_d_max || p.cl / *p.cd > *l_over_d_max) l_over_d_max = p.cl / *p.cd;
  }
  auto slope = Slope(points, kLinearRangeDeg);
  if (!slope) slope = Slope(points, 90);
  return {{"cl_max", Rounded(cl_max)},
          {"aoa_cl_max", Rounded(aoa_cl_max)},
          {"cd_min", Rounded(cd_min)},
          {"l_over_d_max", Rounded(l_over_d_max)},
          {"aoa_zero_lift", Rounded(ZeroLift(points))},
          {"cl_alpha_per_deg", Rounded(slope)}};
}

}  // namespace icarus::worker
