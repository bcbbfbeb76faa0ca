#include "client/output/column_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr int kDigits = 5;
constexpr int kMostDecimals = 9;
constexpr double kWideRange = 1e5;  // largest over smallest number that one fixed precision can show

// Aerodynamic coefficients as polar files print them.
constexpr std::array<std::pair<std::string_view, int>, 14> kCustom = {{{"cl", 4},
                                                                       {"cd", 5},
                                                                       {"cdp", 5},
                                                                       {"cdi", 5},
                                                                       {"cdv", 5},
                                                                       {"cm", 4},
                                                                       {"cy", 4},
                                                                       {"cn", 4},
                                                                       {"croll", 4},
                                                                       {"e", 4},
                                                                       {"xtr_top", 4},
                                                                       {"xtr_bottom", 4},
                                                                       {"cl_max", 4},
                                                                       {"cd_min", 5}}};

std::optional<int> CustomDecimals(std::string_view column) {
  for (const auto& [name, decimals] : kCustom) {
    if (name == column) return decimals;
  }
  return std::nullopt;
}

// The decimals that the shortest text of the number has, at most `most`.
int DecimalsNeeded(double number, int most) {
  for (int decimals = 0; decimals < most; ++decimals) {
    const double scaled = number * std::pow(10.0, decimals);
    if (std::abs(scaled - std::round(scaled)) <= 1e-9 * std::max(1.0, std::abs(scaled))) return decimals;
  }
  return most;
}

}  // namespace

ColumnFormat ColumnFormat::For(const std::string& column, const std::vector<double>& numbers) {
  double largest = 0;
  double smallest = INFINITY;
  for (const double number : numbers) {
    largest = std::max(largest, std::abs(number));
    if (number != 0) smallest = std::min(smallest, std::abs(number));
  }
  ColumnFormat format;
  const auto custom = CustomDecimals(column);
  if (custom && largest < 1000) {
    format.decimals_ = *custom;
    return format;
  }
  const bool whole = std::all_of(numbers.begin(), numbers.end(), [](double n) { return std::trunc(n) == n; });
  if (whole && largest < 1e15) return format;
  if (largest >= 1e7 || largest < 1e-4 || largest / smallest > kWideRange) {
    format.style_ = Style::kGeneral;
    return format;
  }
  const int most = std::clamp(kDigits - 1 - static_cast<int>(std::floor(std::log10(largest))), 0, kMostDecimals);
  for (const double number : numbers) format.decimals_ = std::max(format.decimals_, DecimalsNeeded(number, most));
  return format;
}

std::string ColumnFormat::Format(const Value& value) const {
  if (value.is_null()) return "–";
  if (!value.is_number()) return FormatValue(value);
  if (!std::isfinite(value.number())) return "–";
  if (style_ == Style::kGeneral) return value.number() == 0 ? "0" : fmt::format("{:.{}g}", value.number(), kDigits);
  std::string text = fmt::format("{:.{}f}", value.number(), decimals_);
  // A tiny negative number must not look like a negative zero.
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

}  // namespace icarus::client
