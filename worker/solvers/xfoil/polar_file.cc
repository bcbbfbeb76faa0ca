#include "worker/solvers/xfoil/polar_file.h"

#include <array>
#include <sstream>
#include <string>

#include "common/base/text.h"

namespace icarus::worker {
namespace {

std::optional<PolarRow> ParseRow(const std::string& line) {
  std::istringstream words(line);
  std::array<double, 7> cell{};
  for (double& value : cell) {
    std::string word;
    words >> word;
    const auto number = ParseNumber(word);
    if (!number) return std::nullopt;
    value = *number;
  }
  return PolarRow{cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6]};
}

}  // namespace

std::vector<std::optional<PolarRow>> ParsePolarFile(std::string_view text) {
  std::vector<std::optional<PolarRow>> rows;
  bool in_table = false;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string line(Trim(text.substr(0, end)));
    text.remove_prefix(end + 1);
    if (in_table && !line.empty()) rows.push_back(ParseRow(line));
    if (line.starts_with("------")) in_table = true;
  }
  return rows;
}

}  // namespace icarus::worker
