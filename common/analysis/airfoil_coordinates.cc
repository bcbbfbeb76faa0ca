// Coordinate files: reading the two common layouts, ordering, checking, and the canonical content.
#include <algorithm>
#include <cmath>
#include <optional>

#include "common/analysis/airfoil.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus {
namespace {

constexpr std::size_t kMinPoints = 10;
constexpr double kUnitChordTolerance = 0.01;  // a chord this close to 1 is meant to be 1
constexpr double kMinArea = 1e-4;             // of the square on the chord; below it there is no section
constexpr double kMinChord = 1e-9;
constexpr double kMaxCoordinate = 1e9;
constexpr double kCrossingsIgnoredFrom = 0.98;  // x/c; files often cross by a rounding error at the trailing edge

Error FileError(const std::string& name, const std::string& why) {
  return UsageError("airfoil file " + name + ": " + why, "target");
}

struct Point {
  double x;
  double y;
  friend bool operator==(const Point&, const Point&) = default;
};
using Points = std::vector<Point>;

std::vector<std::string_view> Words(std::string_view line) {
  static constexpr std::string_view kSeparators = " \t,;\r\v\f";
  std::vector<std::string_view> words;
  std::size_t at = line.find_first_not_of(kSeparators);
  while (at != std::string_view::npos) {
    const std::size_t end = line.find_first_of(kSeparators, at);
    words.push_back(line.substr(at, end == std::string_view::npos ? end : end - at));
    at = end == std::string_view::npos ? end : line.find_first_not_of(kSeparators, end);
  }
  return words;
}

bool IsNotFinite(std::string_view word) {
  std::string lower = Lower(word);
  if (!lower.empty() && (lower[0] == '-' || lower[0] == '+')) lower.erase(0, 1);
  return lower.starts_with("nan") || lower.starts_with("inf");
}

enum class LineKind { kBlank, kPoint, kOther, kNotFinite };

LineKind ReadLine(std::string_view line, Point& point) {
  const auto words = Words(line);
  if (words.empty() || words[0][0] == '#') return LineKind::kBlank;
  if (words.size() != 2) return LineKind::kOther;
  if (IsNotFinite(words[0]) || IsNotFinite(words[1])) return LineKind::kNotFinite;
  const auto x = ParseNumber(words[0]);
  const auto y = ParseNumber(words[1]);
  if (!x || !y) return LineKind::kOther;
  point = {*x, *y};
  return LineKind::kPoint;
}

std::string Shown(std::string_view line) {
  std::string shown;
  for (const char c : line.substr(0, 40)) shown += (c >= ' ' && c < 0x7F) ? c : '?';
  return shown;
}

Result<Points> ReadPoints(const std::string& name, std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  Points points;
  bool before_first = true;
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\n\r");
    const std::string_view line = bytes.substr(0, end);
    std::size_t skip = end == std::string_view::npos ? bytes.size() : end + 1;
    if (bytes.substr(line.size()).starts_with("\r\n")) ++skip;
    bytes.remove_prefix(skip);
    ++number;
    Point point{};
    const LineKind kind = ReadLine(line, point);
    if (kind == LineKind::kBlank) continue;
    const std::string where = "line " + std::to_string(number);
    if (kind == LineKind::kNotFinite) return FileError(name, where + " is not a finite number; correct or remove it");
    if (kind == LineKind::kOther && !before_first) {
      return FileError(name, where + " ('" + Shown(line) + "') is not two numbers; write x and y a line");
    }
    before_first = false;
    if (kind == LineKind::kOther) continue;  // the name of the airfoil
    if (std::max(std::abs(point.x), std::abs(point.y)) > kMaxCoordinate) {
      return FileError(name, where + ": a coordinate beyond 1e9 is not one of an airfoil");
    }
    points.push_back(point);
    if (points.size() > limits::kMaxTargetPoints + 1) {
      return FileError(name, "more than " + std::to_string(limits::kMaxTargetPoints) + " points; thin them out");
    }
  }
  return points;
}

bool IsCount(double value) { return value >= 2 && value <= 1e6 && std::trunc(value) == value; }

// Lednicer order: two runs from leading to trailing edge, with their lengths in the first line or without. Returns
// where the second run begins in `points`, after the line of counts was removed; nothing when the order is Selig's.
Result<std::optional<std::size_t>> FindLednicerSplit(const std::string& name, Points& points) {
  if (points.size() < 3) return std::optional<std::size_t>{};
  const Point first = points.front();
  if (IsCount(first.x) && IsCount(first.y)) {
    const double announced = first.x + first.y;
    const auto found = static_cast<double>(points.size() - 1);
    const bool others_small = std::all_of(points.begin() + 1, points.end(), [](Point p) { return std::abs(p.x) < 2; });
    if (announced == found) {
      points.erase(points.begin());
      return std::optional<std::size_t>(static_cast<std::size_t>(first.x));
    }
    if (others_small) {
      return FileError(name, "the first line announces " + FormatNumber(announced) + " points, the file has " +
                                 FormatNumber(found) + "; correct one of them");
    }
  }
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
  const double chord = high->x - low->x;
  for (std::size_t i = 1; i < points.size(); ++i) {
    // A step back over the chord: the end of the upper side and the start of the lower one.
    if (points[i - 1].x - points[i].x > 0.8 * chord && points.front().x < low->x + 0.1 * chord) {
      return std::optional<std::size_t>(i);
    }
  }
  return std::optional<std::size_t>{};
}

void DropRepeated(Points& points) { points.erase(std::unique(points.begin(), points.end()), points.end()); }

double SignedArea(const Points& points) {
  double twice = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& a = points[i];
    const Point& b = points[(i + 1) % points.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return twice / 2;
}

double Cross(const Point& o, const Point& a, const Point& b) {
  return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

bool SegmentsCross(const Point& a, const Point& b, const Point& c, const Point& d) {
  if (std::max(a.x, b.x) < std::min(c.x, d.x) || std::max(c.x, d.x) < std::min(a.x, b.x)) return false;
  if (std::max(a.y, b.y) < std::min(c.y, d.y) || std::max(c.y, d.y) < std::min(a.y, b.y)) return false;
  return Cross(a, b, c) * Cross(a, b, d) < 0 && Cross(c, d, a) * Cross(c, d, b) < 0;
}

// The x of a place where the contour of unit chord crosses itself ahead of the trailing edge.
std::optional<double> FindCrossing(const Points& points, double ignored_from) {
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    for (std::size_t j = i + 2; j + 1 < points.size(); ++j) {
      if (std::min(points[i].x, points[i + 1].x) > ignored_from) break;
      if (std::min(points[j].x, points[j + 1].x) > ignored_from) continue;
      if (SegmentsCross(points[i], points[i + 1], points[j], points[j + 1])) return points[i].x;
    }
  }
  return std::nullopt;
}

// Brings the points into the order from the trailing edge over the upper side and back below.
void Order(Points& points, std::optional<std::size_t> lower_begin) {
  if (lower_begin) {
    std::reverse(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(*lower_begin));
  }
  DropRepeated(points);
  if (SignedArea(points) < 0) std::reverse(points.begin(), points.end());
}

struct Extent {
  double first;
  double last;
  double chord() const { return last - first; }
};

Extent ExtentOf(const Points& points) {
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
  return {low->x, high->x};
}

void ScaleToUnitChord(Points& points) {
  const Extent extent = ExtentOf(points);
  if (std::abs(extent.chord() - 1) <= kUnitChordTolerance) return;
  for (Point& point : points) point = {(point.x - extent.first) / extent.chord(), point.y / extent.chord()};
}

// REQUIRES ordered points of unit chord.
Status CheckShape(const std::string& name, const Points& points) {
  const Extent extent = ExtentOf(points);
  if (std::abs(SignedArea(points)) < kMinArea) {
    return FileError(name, "all points lie on one line; a section encloses an area");
  }
  const double near_end = extent.last - 0.1 * extent.chord();
  if (points.front().x < near_end || points.back().x < near_end) {
    return FileError(name,
                     "the points must begin and end at the trailing edge (Selig order), or give each side from "
                     "the leading edge (Lednicer order)");
  }
  if (const auto x = FindCrossing(points, extent.first + kCrossingsIgnoredFrom * extent.chord())) {
    return FileError(name,
                     "the contour crosses itself near x = " + FormatNumber(*x) + "; check the order of the points");
  }
  return {};
}

std::string Encode(const Points& points) {
  std::string text;
  for (const Point& point : points) text += FormatNumber(point.x) + " " + FormatNumber(point.y) + "\n";
  return text;
}

Result<Points> NormalisedPoints(const std::string& name, const std::string& bytes) {
  ICARUS_ASSIGN(Points points, ReadPoints(name, bytes));
  if (points.empty()) return FileError(name, "no coordinates in it; write x and y a line");
  ICARUS_ASSIGN(const auto lower_begin, FindLednicerSplit(name, points));
  Order(points, lower_begin);
  if (points.size() < kMinPoints) {
    return FileError(name, "only " + std::to_string(points.size()) + " different points; a section needs at least " +
                               std::to_string(kMinPoints));
  }
  if (points.size() > limits::kMaxTargetPoints) {
    return FileError(name, "more than " + std::to_string(limits::kMaxTargetPoints) + " points; thin them out");
  }
  if (ExtentOf(points).chord() < kMinChord) return FileError(name, "the chord is zero: all points have the same x");
  ScaleToUnitChord(points);
  ICARUS_TRY(CheckShape(name, points));
  return points;
}

}  // namespace

Result<Target> ParseAirfoilCoordinates(const std::string& file_name, const std::string& bytes) {
  const std::string name = file_name.substr(file_name.find_last_of('/') + 1);
  if (bytes.size() > limits::kMaxTargetBytes) {
    return FileError(name, "larger than the limit of " + FormatSize(limits::kMaxTargetBytes) + "; thin the points out");
  }
  if (Trim(bytes).empty()) return FileError(name, "it is empty; write x and y a line");
  ICARUS_ASSIGN(const Points points, NormalisedPoints(name, bytes));
  return Target{name, Encode(points)};
}

Result<AirfoilPoints> DecodeCoordinates(const std::string& content) {
  if (content.size() > limits::kMaxTargetBytes) return FileError("sent with the task", "larger than the limit");
  ICARUS_ASSIGN(const Points points, NormalisedPoints("sent with the task", content));
  AirfoilPoints decoded;
  for (const Point& point : points) {
    decoded.x.push_back(point.x);
    decoded.y.push_back(point.y);
  }
  return decoded;
}

}  // namespace icarus
