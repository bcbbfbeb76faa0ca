// Every setting, once: key, type, default, range, whether it can be changed while the broker runs, and what it means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.h"

namespace icarus {

enum class SettingType : std::uint8_t { kBoolean, kInteger, kNumber, kText, kList };

using SettingValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

// `key` may hold one <name>, as in "cache.ttl.<analysis>": a pattern, of which any number is set and none by default.
struct SettingRow {
  std::string_view key;
  SettingType type;
  std::string_view fallback;  // the default as text
  double min = 0;             // of numbers
  double max = 0;
  bool live = true;  // `config set` takes effect at once; else it is read at start
  std::string_view doc;

  bool is_pattern() const { return key.find('<') != std::string_view::npos; }
};

const std::vector<SettingRow>& SettingsTable();

// The row that the key is of, exactly or by pattern; nothing when there is none.
const SettingRow* FindSetting(std::string_view key);
// What stands for <name> in a key of this pattern row; nothing when the key is not of it.
std::optional<std::string> PatternName(const SettingRow& row, std::string_view key);
// kUsage: unknown setting, with the nearest one.
Error UnknownSetting(std::string_view key);

// Text as on a command line or in the environment: lists are separated by commas. kUsage names key, type and range.
Result<SettingValue> ParseSetting(const SettingRow& row, std::string_view key, std::string_view text);
// Checks type (an integer is a number too) and range. kUsage names both.
Result<SettingValue> CheckSetting(const SettingRow& row, std::string_view key, SettingValue value);
std::string FormatSetting(const SettingValue& value);  // reads back with ParseSetting

// "ICARUS_CACHE_MAX_SIZE_MB" for "cache.max_size_mb".
std::string SettingVariable(std::string_view key);
// The key that a variable sets, names in patterns in lower case; nothing when it is no setting's.
std::optional<std::string> SettingOfVariable(std::string_view variable);

}  // namespace icarus
