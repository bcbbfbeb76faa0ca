#include "client/output/plot_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr double kRoom = 0.04;  // of the range, beyond the data at either end
constexpr int kPlainDigits = 5;

// The smallest of 1, 2, 5 times a power of ten that is not below `raw`.
double NiceStep(double raw) {
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::string WithMinusSign(std::string text) {
  if (!text.empty() && text.front() == '-') text.replace(0, 1, "−");
  return text;
}

std::string Superscript(int exponent) {
  static constexpr std::array<const char*, 10> kSuperscripts = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out = exponent < 0 ? "⁻" : "";
  for (const char digit : std::to_string(std::abs(exponent)))
    out += kSuperscripts[static_cast<std::size_t>(digit - '0')];
  return out;
}

}  // namespace

std::string PlotScale::Label(double tick) const {
  const double largest = std::max(std::abs(low), std::abs(high));
  if (tick == 0) return "0";
  if (largest >= std::pow(10.0, kPlainDigits) || decimals > kPlainDigits) return FormatScientific(tick);
  return WithMinusSign(fmt::format("{:.{}f}", tick, decimals));
}

PlotScale MakeScale(double first, double last, int most_ticks) {
  double low = std::min(first, last);
  double high = std::max(first, last);
  const double magnitude = std::max(std::abs(low), std::abs(high));
  if (high - low <= 1e-9 * magnitude || high == low) {
    const double half = magnitude > 0 ? 0.1 * magnitude : 1.0;
    low -= half;
    high += half;
  }
  const double room = kRoom * (high - low);
  PlotScale scale;
  scale.low = low - room;
  scale.high = high + room;
  const double step = NiceStep((scale.high - scale.low) / std::max(2, most_ticks));
  scale.decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  for (double i = std::ceil(scale.low / step); i * step <= scale.high; ++i) scale.ticks.push_back(i * step);
  return scale;
}

std::string FormatScientific(double value) {
  if (value == 0 || (std::abs(value) < 1e4 && std::abs(value) >= 1e-3)) return WithMinusSign(FormatNumber(value));
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-12));
  const double mantissa = value / std::pow(10.0, exponent);
  return WithMinusSign(fmt::format("{:.4g}×10{}", mantissa, Superscript(exponent)));
}

}  // namespace icarus::client
