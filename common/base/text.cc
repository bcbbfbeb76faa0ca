#include "common/base/text.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace icarus {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Removes underscores that stand between two digits.
std::string WithoutUnderscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = text[i] == '_' && i > 0 && i + 1 < text.size() && IsDigit(text[i - 1]) && IsDigit(text[i + 1]);
    if (!between) out.push_back(text[i]);
  }
  return out;
}

std::optional<std::int64_t> ToMilliseconds(double seconds) {
  const double ms = seconds * 1000.0;
  if (!(ms >= 0) || ms > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(ms));
}

std::optional<double> ParseClockDuration(std::string_view text) {
  const auto parts = Split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  double seconds = 0;
  for (const auto& part : parts) {
    const auto number = ParseNumber(part);
    if (!number || *number < 0) return std::nullopt;
    seconds = seconds * 60 + *number;
  }
  return seconds;  // MM:SS or HH:MM:SS
}

double DurationUnitSeconds(std::string_view unit) {
  if (unit == "ms") return 1e-3;
  if (unit == "s") return 1;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3600;
  if (unit == "d") return 86400;
  if (unit == "w") return 604800;
  return 0;
}

std::optional<double> ParseUnitDuration(std::string_view text) {
  double seconds = 0;
  std::size_t at = 0;
  bool any = false;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && (IsDigit(text[end]) || text[end] == '.')) ++end;
    const auto number = ParseNumber(text.substr(at, end - at));
    if (!number) return std::nullopt;
    std::size_t unit_end = end;
    while (unit_end < text.size() && std::isalpha(static_cast<unsigned char>(text[unit_end]))) ++unit_end;
    const double unit = DurationUnitSeconds(text.substr(end, unit_end - end));
    if (unit == 0) return std::nullopt;
    seconds += *number * unit;
    any = true;
    at = unit_end;
    while (at < text.size() && text[at] == ' ') ++at;
  }
  if (!any) return std::nullopt;
  return seconds;
}

std::optional<double> SizeUnitBytes(std::string unit) {
  static constexpr std::string_view kPrefixes = "kmgtp";
  unit = Lower(unit);
  if (unit.empty() || unit == "b") return 1.0;
  const auto power = kPrefixes.find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string rest = unit.substr(1);
  const double exponent = static_cast<double>(power + 1);
  if (rest.empty() || rest == "ib" || rest == "i") return std::pow(1024.0, exponent);
  if (rest == "b") return std::pow(1000.0, exponent);
  return std::nullopt;
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const auto end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::optional<double> ParseNumber(std::string_view text) {
  const std::string plain = WithoutUnderscores(text);
  const char* first = plain.data();
  const char* last = first + plain.size();
  if (first != last && *first == '+') ++first;
  if (first == last || !(IsDigit(*first) || *first == '-' || *first == '.')) return std::nullopt;
  double value = 0;
  const auto [end, ec] = std::from_chars(first, last, value);
  if (ec != std::errc() || end != last || !std::isfinite(value)) return std::nullopt;
  return value == 0 ? 0.0 : value;  // -0 and 0 are one number
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  const auto number = ParseNumber(text);
  if (!number || std::abs(*number) > 9.007e15 || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::string FormatNumber(double value) {
  std::array<char, 64> text{};
  if (value == 0) return "0";
  if (std::abs(value) < 1e15 && std::trunc(value) == value) {
    const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), static_cast<long long>(value));
    return std::string(text.data(), end);
  }
  const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end);
}

Result<std::int64_t> ParseDurationMs(std::string_view text) {
  const auto trimmed = Trim(text);
  std::optional<double> seconds = ParseNumber(trimmed);
  if (!seconds && trimmed.find(':') != std::string_view::npos) seconds = ParseClockDuration(trimmed);
  if (!seconds) seconds = ParseUnitDuration(trimmed);
  const auto ms = seconds ? ToMilliseconds(*seconds) : std::nullopt;
  if (!ms) {
    return UsageError("'" + std::string(text) + "' is not a duration; write 90, 90s, 1h30m, 3d or HH:MM:SS");
  }
  return *ms;
}

Result<std::int64_t> ParseSizeBytes(std::string_view text) {
  const auto trimmed = Trim(text);
  std::size_t end = 0;
  while (end < trimmed.size() && (IsDigit(trimmed[end]) || trimmed[end] == '.')) ++end;
  const auto number = ParseNumber(trimmed.substr(0, end));
  const auto unit = SizeUnitBytes(std::string(Trim(trimmed.substr(end))));
  if (!number || !unit || *number * *unit > 9e18) {
    return UsageError("'" + std::string(text) + "' is not a size; write 512MiB, 4G (= 4 GiB) or 4GB (= 4e9 bytes)");
  }
  return static_cast<std::int64_t>(std::llround(*number * *unit));
}

std::string FormatDuration(double seconds) {
  std::array<char, 64> text{};
  if (seconds < 0.9995) {
    std::snprintf(text.data(), text.size(), "%.0f ms", seconds * 1000);
  } else if (seconds < 59.95) {
    std::snprintf(text.data(), text.size(), "%.1f s", seconds);
  } else if (seconds < 3599.5) {
    const auto whole = static_cast<long>(std::llround(seconds));
    std::snprintf(text.data(), text.size(), "%ldm%02lds", whole / 60, whole % 60);
  } else {
    const auto minutes = static_cast<long>(std::llround(seconds / 60));
    std::snprintf(text.data(), text.size(), "%ldh%02ldm", minutes / 60, minutes % 60);
  }
  return text.data();
}

std::string FormatSize(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

bool GlobMatch(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

std::string Counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace icarus
