#include "common/analysis/key_step.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace icarus {
namespace {

// Holds the 17 digits of a number over the 16 by which a step may be smaller, and room to double them.
__extension__ using Wide = __int128;

constexpr double kMostSteps = 1e15;

struct Decimal {
  Wide mantissa = 0;
  int exponent = 0;
};

// The shortest decimal that reads back as the value. REQUIRES value > 0.
Decimal ShortestDecimal(double value) {
  std::array<char, 40> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
  Decimal decimal;
  bool fraction = false;
  const char* at = text.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    decimal.mantissa = decimal.mantissa * 10 + (*at - '0');
    if (fraction) --decimal.exponent;
  }
  int power = 0;
  const char* first = at + (at[1] == '+' ? 2 : 1);
  std::from_chars(first, end, power);
  decimal.exponent += power;
  return decimal;
}

Wide AtExponent(const Decimal& decimal, int exponent) {
  Wide mantissa = decimal.mantissa;
  for (int i = decimal.exponent; i > exponent; --i) mantissa *= 10;
  return mantissa;
}

// The nearest double, by its decimal text; `otherwise` when that is too large for one. REQUIRES mantissa > 0.
double FromDecimal(const Decimal& decimal, double otherwise) {
  std::array<char, 64> text{};
  char* const digits_end = text.data() + 48;
  char* first = digits_end;
  for (Wide rest = decimal.mantissa; rest > 0; rest /= 10)
    *--first = static_cast<char>('0' + static_cast<int>(rest % 10));
  *digits_end = 'e';
  const char* end = std::to_chars(digits_end + 1, text.data() + text.size(), decimal.exponent).ptr;
  double value = 0;
  const auto [parsed, ec] = std::from_chars(first, end, value);
  return ec == std::errc() ? value : otherwise;
}

Value Rounded(const Value& value, double step) {
  if (value.is_number()) return Value(RoundToStep(value.number(), step));
  if (!value.is_list()) return value;
  Value::List list;
  list.reserve(value.list().size());
  for (const Value& item : value.list()) list.push_back(Rounded(item, step));
  return Value(std::move(list));
}

}  // namespace

double RoundToStep(double value, double step) {
  const double magnitude = std::abs(value);
  const double steps = magnitude / step;
  if (steps < 0.25) return 0.0;
  if (!(steps < kMostSteps)) return value;
  const Decimal exact = ShortestDecimal(magnitude);
  const Decimal unit = ShortestDecimal(step);
  const int exponent = std::min(exact.exponent, unit.exponent);
  const Wide divisor = AtExponent(unit, exponent);
  const Wide count = (2 * AtExponent(exact, exponent) + divisor) / (2 * divisor);
  if (count == 0) return 0.0;
  return std::copysign(FromDecimal({count * unit.mantissa, unit.exponent}, magnitude), value);
}

ValueMap RoundedParams(const Manifest& manifest, const ValueMap& params) {
  ValueMap rounded;
  for (const Parameter& parameter : manifest.parameters) {
    if (!parameter.key_step) continue;
    const auto found = params.find(parameter.name);
    if (found != params.end()) rounded[parameter.name] = Rounded(found->second, *parameter.key_step);
  }
  return rounded;
}

}  // namespace icarus
