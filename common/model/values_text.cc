// Values as a user writes them: numbers, words, lists and ranges.
#include <charconv>
#include <cmath>

#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/model/sweep.h"

namespace icarus {
namespace {

struct Decimal {
  std::int64_t mantissa = 0;
  std::int32_t exponent = 0;
};

// The exact decimal that the text says; nullopt if it is no number or has more than 17 digits.
std::optional<Decimal> ParseDecimal(std::string_view text) {
  if (!ParseNumber(text)) return std::nullopt;
  Decimal decimal;
  bool negative = false;
  bool fraction = false;
  int digits = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    const char c = text[i];
    if (c == '-') negative = true;
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    if (digits > 0 || c != '0') ++digits;
    if (digits > 17) return std::nullopt;
    decimal.mantissa = decimal.mantissa * 10 + (c - '0');
    if (fraction) --decimal.exponent;
  }
  if (i < text.size()) {
    std::string_view power = text.substr(i + 1);
    if (!power.empty() && power[0] == '+') power.remove_prefix(1);
    int value = 0;
    const auto [end, ec] = std::from_chars(power.data(), power.data() + power.size(), value);
    if (ec != std::errc() || std::abs(value) > 400) return std::nullopt;
    decimal.exponent += value;
  }
  if (negative) decimal.mantissa = -decimal.mantissa;
  if (decimal.mantissa == 0) decimal.exponent = 0;
  return decimal;
}

// Brings both to the smaller exponent; false when a mantissa would not fit.
bool Align(Decimal& a, Decimal& b) {
  Decimal& larger = a.exponent > b.exponent ? a : b;
  const std::int32_t target = std::min(a.exponent, b.exponent);
  if (larger.mantissa == 0) {
    larger.exponent = target;
    return true;
  }
  while (larger.exponent > target) {
    if (__builtin_mul_overflow(larger.mantissa, std::int64_t{10}, &larger.mantissa)) return false;
    --larger.exponent;
  }
  return true;
}

Error RangeError(const std::string& text, const std::string& why) {
  return UsageError("'" + text + "' " + why + "; the order is first:last:step");
}

Result<ValueSource> ParseStepRange(const std::string& text, const std::vector<std::string>& parts) {
  auto first = ParseDecimal(Trim(parts[0]));
  auto last = ParseDecimal(Trim(parts[1]));
  auto step = ParseDecimal(Trim(parts[2]));
  if (!first || !last || !step) return RangeError(text, "is not a range of numbers");
  if (step->mantissa == 0) return RangeError(text, "has a step of zero");
  if (!Align(*first, *step) || !Align(*first, *last) || !Align(*first, *step) || !Align(*last, *step)) {
    return RangeError(text, "spans too many digits");
  }
  const std::int64_t span = last->mantissa - first->mantissa;
  if (span % step->mantissa != 0 || span / step->mantissa < 0) return RangeError(text, "does not reach its end");
  const std::int64_t count = span / step->mantissa + 1;
  if (count > limits::kMaxTasksPerJob) return RangeError(text, "has too many values");
  ValueSource source;
  source.kind = ValueSource::Kind::kStep;
  source.count = static_cast<std::uint32_t>(count);
  source.mantissa = first->mantissa;
  source.step_mantissa = step->mantissa;
  source.exponent = first->exponent;
  return source;
}

Result<ValueSource> ParseCountRange(const std::string& text, const std::vector<std::string>& parts, bool log) {
  const auto first = ParseNumber(Trim(parts[0]));
  const auto last = ParseNumber(Trim(parts[1]));
  const auto count = ParseInteger(Trim(parts[2]).substr(log ? 3 : 1));
  if (!first || !last || !count) return RangeError(text, "is not a range of numbers");
  if (*count < 2 || *count > limits::kMaxTasksPerJob) return RangeError(text, "needs a count of 2 or more");
  if (log && (*first <= 0 || *last <= 0)) return RangeError(text, "cannot be logarithmic through zero or below");
  ValueSource source;
  source.kind = log ? ValueSource::Kind::kLog : ValueSource::Kind::kLinear;
  source.count = static_cast<std::uint32_t>(*count);
  source.first = *first;
  source.last = *last;
  return source;
}

// A range when it has the shape of one; words such as 12:30 that are not numbers are left to be words.
bool LooksLikeRange(const std::vector<std::string>& parts) {
  return (parts.size() == 2 || parts.size() == 3) && ParseNumber(Trim(parts[0])) && ParseNumber(Trim(parts[1]));
}

Result<ValueSource> ParseRange(const std::string& text, const std::vector<std::string>& parts) {
  if (parts.size() != 3) return RangeError(text, "lacks its step");
  const std::string_view third = Trim(parts[2]);
  if (third.substr(0, 3) == "log") return ParseCountRange(text, parts, true);
  if (!third.empty() && third[0] == 'n') return ParseCountRange(text, parts, false);
  return ParseStepRange(text, parts);
}

Value ParseScalar(std::string_view text) {
  const auto trimmed = Trim(text);
  if (const auto number = ParseNumber(trimmed)) return Value(*number);
  if (trimmed == "true") return Value(true);
  if (trimmed == "false") return Value(false);
  return Value(std::string(trimmed));
}

}  // namespace

Result<ValueSource> ParseValues(const std::string& text) {
  if (Trim(text).empty()) return UsageError("no value is given");
  ValueSource source;
  for (const std::string& item : Split(text, ',')) {
    if (Trim(item).empty()) return UsageError("'" + text + "' has an empty value between commas");
    const auto parts = Split(item, ':');
    if (!LooksLikeRange(parts)) {
      source.list.push_back(ParseScalar(item));
      continue;
    }
    ICARUS_ASSIGN(ValueSource range, ParseRange(item, parts));
    if (item.size() == text.size()) return range;
    for (std::uint32_t i = 0; i < range.size(); ++i) source.list.push_back(range.At(i));
    if (source.list.size() > limits::kMaxTasksPerJob) return UsageError("'" + text + "' has too many values");
  }
  return source;
}

Result<Value> ParseValue(const std::string& text) {
  ICARUS_ASSIGN(ValueSource source, ParseValues(text));
  if (source.kind == ValueSource::Kind::kList && source.list.size() == 1) return source.list.front();
  if (source.size() > limits::kMaxListValues) {
    return UsageError("'" + text + "' has more than " + std::to_string(limits::kMaxListValues) +
                      " values, the limit of one list (limits.list_values)");
  }
  Value::List list;
  for (std::uint32_t i = 0; i < source.size(); ++i) list.push_back(source.At(i));
  return Value(std::move(list));
}

}  // namespace icarus
