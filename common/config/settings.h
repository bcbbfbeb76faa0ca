// Settings: the values in force and where each comes from. Flag before environment before live setting before file
// before default. A plain value: copied freely, not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/config/environment.h"
#include "common/config/settings_table.h"

namespace icarus {

enum class Origin : std::uint8_t { kDefault = 0, kFile = 1, kLive = 2, kEnvironment = 3, kFlag = 4 };
constexpr int EnumCount(Origin) { return 5; }
const char* OriginName(Origin origin);  // "default", "file", "live", "environment", "flag"

struct SettingEntry {
  std::string key;
  std::string value;  // as text that Set accepts
  Origin origin = Origin::kDefault;
};

class Settings {
 public:
  // The value in force. REQUIRES a key of the table that is no pattern and has that type (Number takes integers too).
  bool Flag(std::string_view key) const;
  std::int64_t Integer(std::string_view key) const;
  double Number(std::string_view key) const;
  std::string Text(std::string_view key) const;
  std::vector<std::string> List(std::string_view key) const;
  // The value in force of any key; nothing for an unknown one, and for one of a pattern that is not set.
  std::optional<SettingValue> Find(std::string_view key) const;
  // What is set of a pattern, for example "resources.<name>", by name.
  std::map<std::string, SettingValue> Matching(std::string_view pattern) const;

  // kUsage: unknown key (with the nearest), wrong type, out of range. kRefused: kLive of a setting that is read at
  // start.
  Status Set(std::string_view key, std::string_view text, Origin origin);
  // Takes back what this origin set; setting nothing is not an error, an unknown key is.
  Status Unset(std::string_view key, Origin origin);

  // Every key of the table and what is set of patterns, by key.
  std::vector<SettingEntry> List() const;
  Result<SettingEntry> Get(std::string_view key) const;
  // What one origin has set: the broker stores kLive.
  std::vector<SettingEntry> SetBy(Origin origin) const;

  // TOML. kUsage names file:line for an unknown key, a wrong type, a value out of range and bad syntax; nothing of the
  // file is taken then. kNotFound when there is no such file.
  Status LoadFile(const std::string& path);
  // ICARUS_<KEY> variables; others that begin with ICARUS_ are not ours to judge. kUsage names the variable.
  Status LoadEnvironment(const Environment& environment);

 private:
  static constexpr std::size_t kOrigins = 5;
  using ByOrigin = std::array<std::optional<SettingValue>, kOrigins>;
  struct InForce {
    SettingValue value;
    Origin origin;
  };
  std::optional<InForce> Current(std::string_view key) const;
  SettingValue Required(std::string_view key, SettingType type) const;

  std::map<std::string, ByOrigin, std::less<>> set_;
};

// File and environment together, as every program starts: `config_flag` (--config) must exist; without it the default
// file is read if it is there.
Result<Settings> LoadSettings(const std::string& config_flag, const Environment& environment);

}  // namespace icarus
