#include "common/analysis/airfoil.h"

#include <array>
#include <cmath>
#include <numbers>
#include <optional>

#include "common/base/check.h"
#include "common/base/text.h"

namespace icarus {
namespace {

// Mean line and thickness of one section, all as fractions of the chord.
struct NacaSection {
  bool five_digits = false;
  double camber = 0;    // 4 digits: maximum ordinate m
  double position = 0;  // 4 digits: where it lies, p; 5 digits: r, where the cubic part ends
  double cubic = 0;     // 5 digits: k1
  double thickness = 0;
};

struct MeanLine {
  const char* digits;
  double r;
  double k1;
};
// Jacobs, Pinkerton: NACA Report 537 (1935), table I: plain mean lines of design lift 0.3.
constexpr std::array<MeanLine, 5> kMeanLines = {{{"210", 0.0580, 361.4},
                                                 {"220", 0.1260, 51.64},
                                                 {"230", 0.2025, 15.957},
                                                 {"240", 0.2900, 6.643},
                                                 {"250", 0.3910, 3.230}}};

Error NameError(const std::string& text, const std::string& why) {
  return UsageError("'" + text + "': " + why, "target");
}

int DigitAt(const std::string& digits, std::size_t i) { return digits[i] - '0'; }

Result<NacaSection> ParseFourDigits(const std::string& text, const std::string& digits) {
  const int camber = DigitAt(digits, 0);
  const int position = DigitAt(digits, 1);
  if (camber > 0 && position == 0) {
    return NameError(text, "camber needs a position: the second digit must be 1 to 9, as in naca2412");
  }
  if (camber == 0 && position > 0) {
    return NameError(text, "a position without camber says nothing; write naca00" + digits.substr(2));
  }
  NacaSection section;
  section.camber = camber / 100.0;
  section.position = position / 10.0;
  return section;
}

Result<NacaSection> ParseFiveDigits(const std::string& text, const std::string& digits) {
  for (const MeanLine& line : kMeanLines) {
    if (digits.compare(0, 3, line.digits) != 0) continue;
    NacaSection section;
    section.five_digits = true;
    section.position = line.r;
    section.cubic = line.k1;
    return section;
  }
  return NameError(text,
                   "of the 5-digit series the mean lines 210, 220, 230, 240 and 250 are known, as in naca23012; "
                   "send any other airfoil as a coordinate file");
}

Result<NacaSection> ParseDigits(const std::string& text, const std::string& digits) {
  ICARUS_ASSIGN(NacaSection section,
                digits.size() == 4 ? ParseFourDigits(text, digits) : ParseFiveDigits(text, digits));
  const std::size_t last = digits.size() - 2;
  section.thickness = (10 * DigitAt(digits, last) + DigitAt(digits, last + 1)) / 100.0;
  if (section.thickness == 0)
    return NameError(text, "the last two digits are the thickness in percent and cannot be 00");
  return section;
}

// The digits after "naca", when there are four or five and nothing else.
std::optional<std::string> NacaDigits(const std::string& text) {
  std::string compact;
  for (const char c : Lower(text)) {
    if (c != ' ' && c != '\t') compact += c;
  }
  if (!compact.starts_with("naca")) return std::nullopt;
  const std::string digits = compact.substr(4);
  if (digits.size() != 4 && digits.size() != 5) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return digits;
}

// Half the thickness normal to the mean line (NACA Report 460, 1933; blunt trailing edge).
double HalfThickness(const NacaSection& section, double x) {
  const double polynomial = x * (-0.1260 + x * (-0.3516 + x * (0.2843 - x * 0.1015)));
  return 5 * section.thickness * (0.2969 * std::sqrt(x) + polynomial);
}

struct MeanPoint {
  double y;
  double slope;
};

MeanPoint FourDigitMean(const NacaSection& section, double x) {
  const double m = section.camber;
  const double p = section.position;
  if (m == 0) return {0, 0};
  if (x < p) return {m / (p * p) * x * (2 * p - x), 2 * m / (p * p) * (p - x)};
  const double q = (1 - p) * (1 - p);
  return {m / q * (1 - 2 * p + x * (2 * p - x)), 2 * m / q * (p - x)};
}

MeanPoint FiveDigitMean(const NacaSection& section, double x) {
  const double r = section.position;
  const double k = section.cubic / 6;
  if (x >= r) return {k * r * r * r * (1 - x), -k * r * r * r};
  return {k * x * (x * (x - 3 * r) + r * r * (3 - r)), k * (3 * x * (x - 2 * r) + r * r * (3 - r))};
}

MeanPoint Mean(const NacaSection& section, double x) {
  return section.five_digits ? FiveDigitMean(section, x) : FourDigitMean(section, x);
}

}  // namespace

bool LooksLikeAirfoilFile(const std::string& text) { return text.find_first_of("/.") != std::string::npos; }

Result<Target> ParseAirfoilName(const std::string& text) {
  const auto digits = NacaDigits(text);
  if (!digits) {
    return NameError(text,
                     "not an airfoil that is known here; write naca and 4 or 5 digits (naca2412, naca23012), "
                     "or the path of a coordinate file");
  }
  ICARUS_TRY(ParseDigits(text, *digits));
  return Target{"naca" + *digits, ""};
}

AirfoilPoints NacaPoints(const std::string& canonical_name, int panels) {
  const auto digits = NacaDigits(canonical_name);
  ICARUS_CHECK(digits.has_value() && panels >= 4);
  const auto section = ParseDigits(canonical_name, *digits);
  ICARUS_CHECK(section.has_value());
  AirfoilPoints points;
  for (int i = 0; i <= panels; ++i) {
    const double beta = 2 * std::numbers::pi * i / panels;
    const double x = 0.5 * (1 + std::cos(beta));
    const double side = 2 * i <= panels ? 1.0 : -1.0;  // the upper side first
    const MeanPoint mean = Mean(*section, x);
    const double half = side * HalfThickness(*section, x);
    const double length = std::hypot(1.0, mean.slope);
    points.x.push_back(x - half * mean.slope / length);
    points.y.push_back(mean.y + half / length);
  }
  return points;
}

}  // namespace icarus
