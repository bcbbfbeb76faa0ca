#include "common/analysis/advice.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/analysis/march_grid.h"
#include "common/base/text.h"

namespace icarus {
namespace {

constexpr std::size_t kManyAngles = 20;       // off the grid: below this their price is not felt
constexpr std::uint32_t kMostLooked = 1'000;  // angles of an axis that are looked at

void Collect(const Value& value, std::vector<double>& angles) {
  if (value.is_number()) angles.push_back(value.number());
  if (!value.is_list()) return;
  for (const Value& item : value.list()) Collect(item, angles);
}

// The angles that tasks ask for, where they are stated once for all or along an axis.
std::vector<double> AnglesOf(const Sweep& sweep) {
  std::vector<double> angles;
  for (const Axis& axis : sweep.axes) {
    for (const AxisColumn& column : axis.columns) {
      if (column.name != "aoa") continue;
      for (std::uint32_t i = 0; i < std::min(column.values.size(), kMostLooked); ++i)
        Collect(column.values.At(i), angles);
      return angles;
    }
  }
  if (const auto base = sweep.base.find("aoa"); base != sweep.base.end()) Collect(base->second, angles);
  return angles;
}

std::size_t CountOffGrid(const std::vector<double>& angles, double march) {
  return static_cast<std::size_t>(
      std::count_if(angles.begin(), angles.end(), [march](double angle) { return !IsOnMarchGrid(angle, march); }));
}

// The largest part of `march` with all the angles on its grid.
std::optional<double> FinerMarch(const std::vector<double>& angles, double march, double finest) {
  for (int parts = 2; march / parts >= finest - kOnMarchGrid; ++parts) {
    const double finer = std::round(march / parts * 1e6) / 1e6;
    if (CountOffGrid(angles, finer) == 0) return finer;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> Advise(const Manifest& manifest, const JobSpec& spec) {
  if (spec.analysis != "airfoil_polar" || spec.solver != "xfoil") return {};
  const auto march = spec.sweep.base.find("march");
  const auto viscous = spec.sweep.base.find("viscous");
  if (march == spec.sweep.base.end() || !march->second.is_number()) return {};
  if (viscous != spec.sweep.base.end() && viscous->second == Value(false)) return {};
  const std::vector<double> angles = AnglesOf(spec.sweep);
  const std::size_t off = CountOffGrid(angles, march->second.number());
  if (off < kManyAngles) return {};
  std::string advice = std::to_string(off) + " of " + std::to_string(angles.size()) +
                       " angles lie off the grid of march=" + FormatNumber(march->second.number()) +
                       ", and each takes a march of its own";
  const Parameter& parameter = *manifest.Find("march");
  if (!parameter.range) return {advice};
  if (const auto finer = FinerMarch(angles, march->second.number(), parameter.range->first)) {
    advice += "; -p march=" + FormatNumber(*finer) + " has them all on its grid, in one march";
  }
  return {advice};
}

}  // namespace icarus
