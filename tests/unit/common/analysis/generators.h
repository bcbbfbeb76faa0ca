// Generated input for the properties of keys.
#pragma once

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/common/analysis/key_probe.h"

namespace icarus {

inline bool AnyBool() { return *rc::gen::arbitrary<bool>(); }
// As wide in the first cases as in the last.
inline int Between(int first, int last) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(first, last + 1));
}
inline int Below(int end) { return Between(0, end - 1); }

template <class T>
std::vector<T> Shuffled(std::vector<T> items) {
  std::shuffle(items.begin(), items.end(), std::mt19937(*rc::gen::arbitrary<std::uint32_t>()));
  return items;
}

inline Decimal AnyDecimal() { return {Between(-99'999, 99'999), Between(-8, 3)}; }

// The digits with the point where the exponent puts it: (125, −2) is 1.25.
inline std::string Positional(std::string digits, int exponent) {
  if (exponent >= 0) return digits + std::string(static_cast<std::size_t>(exponent), '0');
  const auto fraction = static_cast<std::size_t>(-exponent);
  if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
  return digits.insert(digits.size() - fraction, ".");
}

// One of the many ways to write the number: 1, 1.0, 1e0, 10e-1, +1, 01, .1E1.
inline std::string AnySpelling(const Decimal& decimal) {
  const int zeros = Below(4);
  const int power = Between(-6, 6);
  const std::string digits =
      std::to_string(std::abs(decimal.mantissa)) + std::string(static_cast<std::size_t>(zeros), '0');
  std::string text = Positional(digits, decimal.exponent - zeros - power);
  if (text.rfind("0.", 0) == 0 && AnyBool()) text.erase(0, 1);
  if (AnyBool()) text.insert(0, static_cast<std::size_t>(Below(3)), '0');
  if (power != 0 || AnyBool()) text += (AnyBool() ? "e" : "E") + std::to_string(power);
  if (decimal.mantissa < 0) return "-" + text;
  return (AnyBool() ? "+" : "") + text;
}

}  // namespace icarus
