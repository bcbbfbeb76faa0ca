// The polar save file of XFOIL 6.9x.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace icarus::worker {

struct PolarRow {
  double alpha = 0;  // degrees, as printed: 3 decimals
  double cl = 0;
  double cd = 0;
  double cdp = 0;
  double cm = 0;
  double xtr_top = 0;
  double xtr_bottom = 0;
};

// The rows in the order of the file, which is that of computation; a row that is not seven finite numbers (asterisks,
// NaN) is nothing. A last line without its end is left out: it was being written.
std::vector<std::optional<PolarRow>> ParsePolarFile(std::string_view text);

}  // namespace icarus::worker
