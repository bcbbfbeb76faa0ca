// The configuration file: TOML into Settings. The only user of toml++ in this folder.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <utility>

#include "common/base/files.h"
#include "common/config/home.h"
#include "common/config/settings.h"

namespace icarus {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1u << 20;

struct FileEntry {
  std::string key;
  SettingValue value;
};

// Walks one document and gathers what it sets, each with the checks of the table.
class DocumentReader {
 public:
  explicit DocumentReader(std::string path) : path_(std::move(path)) {}

  Status ReadTable(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (const toml::table* below = node.as_table()) {
        if (!IsPrefix(key + ".")) return At(name.source(), UnknownSetting(key));
        ICARUS_TRY(ReadTable(*below, key + "."));
      } else {
        ICARUS_TRY(ReadValue(name, node, key));
      }
    }
    return {};
  }

  std::vector<FileEntry> entries;

 private:
  Error At(const toml::source_region& region, const Error& error) const {
    return UsageError(path_ + ":" + std::to_string(region.begin.line) + ": " + error.message, error.field);
  }

  // Whether a table of this name can hold settings, "resources." or "solvers.xfoil." for example.
  static bool IsPrefix(std::string_view prefix) {
    for (const SettingRow& row : SettingsTable()) {
      if (row.key.substr(0, prefix.size()) == prefix) return true;
      const auto after = row.key.find(">.");
      if (!row.is_pattern() || after == std::string_view::npos || prefix.empty()) continue;
      const std::string whole =
          std::string(prefix.substr(0, prefix.size() - 1)) + std::string(row.key.substr(after + 1));
      if (PatternName(row, whole)) return true;
    }
    return false;
  }

  Status ReadValue(const toml::key& name, const toml::node& node, const std::string& key) {
    const SettingRow* row = FindSetting(key);
    if (row == nullptr) return At(name.source(), UnknownSetting(key));
    auto value = ValueOf(node);
    if (!value) {
      return At(node.source(),
                UsageError(key + ": a setting is true or false, a number, text or a list of texts", key));
    }
    auto checked = CheckSetting(*row, key, std::move(*value));
    if (!checked) return At(node.source(), checked.error());
    entries.push_back({key, std::move(*checked)});
    return {};
  }

  static std::optional<SettingValue> ValueOf(const toml::node& node) {
    if (const auto* flag = node.as_boolean()) return SettingValue(flag->get());
    if (const auto* integer = node.as_integer()) return SettingValue(integer->get());
    if (const auto* number = node.as_floating_point()) return SettingValue(number->get());
    if (const auto* text = node.as_string()) return SettingValue(text->get());
    const toml::array* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::vector<std::string> list;
    for (const toml::node& item : *array) {
      if (!item.is_string()) return std::nullopt;
      list.push_back(item.as_string()->get());
    }
    return SettingValue(std::move(list));
  }

  std::string path_;
};

}  // namespace

Status Settings::LoadFile(const std::string& path) {
  if (!PathExists(path)) return Error::Make(ErrorCode::kNotFound, "there is no configuration file " + path, "config");
  ICARUS_ASSIGN(const std::string text, ReadFile(path, kMaxFileBytes));
  const toml::parse_result document = toml::parse(text, path);
  if (!document) {
    return UsageError(path + ":" + std::to_string(document.error().source().begin.line) + ": " +
                      std::string(document.error().description()));
  }
  DocumentReader reader(path);
  ICARUS_TRY(reader.ReadTable(document.table(), ""));
  for (auto& [key, by_origin] : set_) by_origin[static_cast<std::size_t>(Origin::kFile)].reset();
  for (FileEntry& entry : reader.entries) {
    set_[entry.key][static_cast<std::size_t>(Origin::kFile)] = std::move(entry.value);
  }
  return {};
}

Result<Settings> LoadSettings(const std::string& config_flag, const Environment& environment) {
  Settings settings;
  const std::string path = config_flag.empty() ? DefaultConfigFile(environment) : config_flag;
  if (!path.empty()) {
    const Status loaded = settings.LoadFile(path);
    const bool absent = !loaded && loaded.error().code == ErrorCode::kNotFound;
    if (!loaded && !(absent && config_flag.empty())) return loaded.error();
  }
  ICARUS_TRY(settings.LoadEnvironment(environment));
  return settings;
}

}  // namespace icarus
