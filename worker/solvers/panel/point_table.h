// The points that have been computed about one section at one Mach number, by angle: what `panel` keeps between runs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/sweep.h"

namespace icarus::worker {

struct PanelPoint {
  double cl = 0;
  double cm = 0;
};

class PointTable {
 public:
  // Of a section (its content, or its name when it has none), its panelling and the Mach number.
  static std::string KeyOf(const Target& target, int panels, double mach);

  // Nothing: these bytes are no table.
  static std::optional<PointTable> Decode(std::string_view bytes);
  std::string Encode() const;

  const PanelPoint* Find(double aoa) const;
  // False: it is full (kMostPoints), or the angle is there already.
  bool Add(double aoa, PanelPoint point);
  std::size_t size() const { return points_.size(); }

  static constexpr std::size_t kMostPoints = 10'000;

 private:
  std::map<double, PanelPoint> points_;
};

}  // namespace icarus::worker
