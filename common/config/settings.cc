#include "common/config/settings.h"

#include <utility>

#include "common/base/check.h"

namespace icarus {
namespace {

std::size_t IndexOf(Origin origin) { return static_cast<std::size_t>(origin); }

// The default of a row; nothing for a pattern.
std::optional<SettingValue> DefaultOf(const SettingRow& row) {
  if (row.is_pattern()) return std::nullopt;
  auto value = ParseSetting(row, row.key, row.fallback);
  ICARUS_CHECK(value.has_value());
  return std::move(*value);
}

}  // namespace

const char* OriginName(Origin origin) {
  static constexpr std::array<const char*, EnumCount(Origin())> kNames = {"default", "file", "live", "environment",
                                                                          "flag"};
  return kNames[IndexOf(origin)];
}

std::optional<Settings::InForce> Settings::Current(std::string_view key) const {
  const SettingRow* row = FindSetting(key);
  if (row == nullptr) return std::nullopt;
  if (const auto found = set_.find(key); found != set_.end()) {
    for (std::size_t origin = kOrigins; origin-- > 0;) {
      if (found->second[origin]) return InForce{*found->second[origin], static_cast<Origin>(origin)};
    }
  }
  auto fallback = DefaultOf(*row);
  if (!fallback) return std::nullopt;
  return InForce{std::move(*fallback), Origin::kDefault};
}

SettingValue Settings::Required(std::string_view key, SettingType type) const {
  auto current = Current(key);
  ICARUS_CHECK(current.has_value());
  ICARUS_CHECK(current->value.index() == static_cast<std::size_t>(type));
  return std::move(current->value);
}

bool Settings::Flag(std::string_view key) const { return std::get<bool>(Required(key, SettingType::kBoolean)); }

std::int64_t Settings::Integer(std::string_view key) const {
  return std::get<std::int64_t>(Required(key, SettingType::kInteger));
}

double Settings::Number(std::string_view key) const {
  const SettingRow* row = FindSetting(key);
  ICARUS_CHECK(row != nullptr);
  if (row->type == SettingType::kInteger) return static_cast<double>(Integer(key));
  return std::get<double>(Required(key, SettingType::kNumber));
}

std::string Settings::Text(std::string_view key) const {
  return std::get<std::string>(Required(key, SettingType::kText));
}

std::vector<std::string> Settings::List(std::string_view key) const {
  return std::get<std::vector<std::string>>(Required(key, SettingType::kList));
}

std::optional<SettingValue> Settings::Find(std::string_view key) const {
  auto current = Current(key);
  if (!current) return std::nullopt;
  return std::move(current->value);
}

std::map<std::string, SettingValue> Settings::Matching(std::string_view pattern) const {
  std::map<std::string, SettingValue> matching;
  for (const auto& [key, by_origin] : set_) {
    const SettingRow* row = FindSetting(key);
    if (row == nullptr || row->key != pattern) continue;
    if (auto value = Find(key)) matching.emplace(PatternName(*row, key).value(), std::move(*value));
  }
  return matching;
}

Status Settings::Set(std::string_view key, std::string_view text, Origin origin) {
  ICARUS_CHECK(origin != Origin::kDefault);
  const SettingRow* row = FindSetting(key);
  if (row == nullptr) return UnknownSetting(key);
  const std::string name(key);
  if (origin == Origin::kLive && !row->live) {
    return Error::Make(ErrorCode::kRefused,
                       name + " is read when a program starts: put it into the configuration file and restart", name);
  }
  ICARUS_ASSIGN(set_[name][IndexOf(origin)], ParseSetting(*row, key, text));
  return {};
}

Status Settings::Unset(std::string_view key, Origin origin) {
  ICARUS_CHECK(origin != Origin::kDefault);
  if (FindSetting(key) == nullptr) return UnknownSetting(key);
  if (const auto found = set_.find(key); found != set_.end()) found->second[IndexOf(origin)].reset();
  return {};
}

std::vector<SettingEntry> Settings::List() const {
  std::map<std::string, SettingEntry> entries;
  const auto add = [&](std::string_view key) {
    if (auto current = Current(key)) {
      entries.insert_or_assign(std::string(key),
                               SettingEntry{std::string(key), FormatSetting(current->value), current->origin});
    }
  };
  for (const SettingRow& row : SettingsTable()) add(row.key);
  for (const auto& [key, by_origin] : set_) add(key);
  std::vector<SettingEntry> list;
  for (auto& [key, entry] : entries) list.push_back(std::move(entry));
  return list;
}

Result<SettingEntry> Settings::Get(std::string_view key) const {
  if (FindSetting(key) == nullptr) return UnknownSetting(key);
  const std::string name(key);
  const auto current = Current(key);
  if (!current) return Error::Make(ErrorCode::kNotFound, name + " is not set", name);
  return SettingEntry{name, FormatSetting(current->value), current->origin};
}

std::vector<SettingEntry> Settings::SetBy(Origin origin) const {
  std::vector<SettingEntry> list;
  for (const auto& [key, by_origin] : set_) {
    const auto& value = by_origin[IndexOf(origin)];
    if (value) list.push_back({key, FormatSetting(*value), origin});
  }
  return list;
}

Status Settings::LoadEnvironment(const Environment& environment) {
  Settings loaded = *this;
  for (const auto& [variable, text] : environment) {
    const auto key = SettingOfVariable(variable);
    if (!key) continue;
    Status set = loaded.Set(*key, text, Origin::kEnvironment);
    if (!set) return UsageError(variable + ": " + set.error().message, *key);
  }
  *this = std::move(loaded);
  return {};
}

}  // namespace icarus
