#include "worker/solvers/panel/point_table.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include "common/base/little_endian.h"
#include "common/base/text.h"
#include "common/model/content_hash.h"

namespace icarus::worker {
namespace {

constexpr std::size_t kNumberBytes = sizeof(std::uint64_t);
constexpr std::size_t kPointBytes = 3 * kNumberBytes;

void PutNumber(std::string& out, double number) { PutInteger(out, std::bit_cast<std::uint64_t>(number)); }

double NumberAt(std::string_view bytes, std::size_t at) {
  return std::bit_cast<double>(GetInteger<std::uint64_t>(bytes, at));
}

}  // namespace

std::string PointTable::KeyOf(const Target& target, int panels, double mach) {
  const std::string section =
      target.content.empty() ? "name " + target.name : "content " + HashBytes(target.content).Hex();
  return "points of " + section + " panels " + std::to_string(panels) + " mach " + FormatNumber(mach);
}

std::optional<PointTable> PointTable::Decode(std::string_view bytes) {
  if (bytes.size() % kPointBytes != 0) return std::nullopt;
  PointTable table;
  for (std::size_t at = 0; at < bytes.size(); at += kPointBytes) {
    const double aoa = NumberAt(bytes, at);
    const PanelPoint point{NumberAt(bytes, at + kNumberBytes), NumberAt(bytes, at + 2 * kNumberBytes)};
    const bool finite = std::isfinite(aoa) && std::isfinite(point.cl) && std::isfinite(point.cm);
    if (!finite || !table.Add(aoa, point)) return std::nullopt;
  }
  return table;
}

std::string PointTable::Encode() const {
  std::string bytes;
  for (const auto& [aoa, point] : points_) {
    PutNumber(bytes, aoa);
    PutNumber(bytes, point.cl);
    PutNumber(bytes, point.cm);
  }
  return bytes;
}

const PanelPoint* PointTable::Find(double aoa) const {
  const auto found = points_.find(aoa);
  return found == points_.end() ? nullptr : &found->second;
}

bool PointTable::Add(double aoa, PanelPoint point) {
  return points_.size() < kMostPoints && points_.emplace(aoa, point).second;
}

}  // namespace icarus::worker
