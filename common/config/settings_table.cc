#include "common/config/settings_table.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus {
namespace {

constexpr bool kLive = true;
constexpr bool kAtStart = false;
constexpr double kDaySeconds = 86400;
constexpr double kYearSeconds = 366 * kDaySeconds;
constexpr double kMaxPendingTasks = static_cast<double>(limits::kMaxPendingTasks);
constexpr double kMaxJobs = static_cast<double>(limits::kMaxJobs);
constexpr double kMaxWorkers = static_cast<double>(limits::kMaxWorkers);
constexpr double kMaxTasksPerJob = static_cast<double>(limits::kMaxTasksPerJob);

using enum SettingType;

// clang-format off
const std::vector<SettingRow> kTable = {
    {"cache.max_size_mb", kInteger, "500", 1, 1e9, kLive, "bytes of cached results, in MiB"},
    {"cache.max_entries", kInteger, "100000", 1, 1e9, kLive, "cached results"},
    {"cache.intermediate_mb", kInteger, "64", 1, 1e6, kLive,
     "bytes of what solvers keep for one another, in MiB, beside the results"},
    {"cache.default_ttl_seconds", kNumber, "0", 0, 100 * kYearSeconds, kLive, "how long a result is kept; 0: for ever"},
    {"cache.failure_ttl_seconds", kNumber, "300", 0, 100 * kYearSeconds, kLive,
     "how long a failure that comes again for certain is known; 0: it is computed again each time"},
    {"cache.ttl.<analysis>", kNumber, "", 0, 100 * kYearSeconds, kLive, "the same for one analysis"},
    {"operations.max_concurrent", kInteger, "0", 0, 1e9, kLive, "running tasks a user; 0: no limit"},
    {"queue.aging_seconds", kNumber, "300", 1, kYearSeconds, kLive, "waiting time worth one step of priority"},
    {"retry.max_worker_deaths", kInteger, "5", 1, 1000, kLive, "workers that a task may lose before it fails"},
    {"retry.no_convergence", kBoolean, "false", 0, 0, kLive,
     "a solver that did not converge is tried again like one that crashed"},
    {"jobs.retention_hours", kNumber, "720", 0, 1e6, kLive, "how long a job is kept after its end"},
    {"worker.lost_after_seconds", kNumber, "15", 1, kDaySeconds, kLive, "silence after which a worker counts as lost"},
    {"worker.reattach_grace_seconds", kNumber, "60", 0, kDaySeconds, kLive,
     "how long executions wait for their workers after a restart of the broker"},
    {"worker.env", kList, "", 0, 0, kAtStart, "NAME or NAME=VALUE for the environment of solvers"},
    {"worker.prologue", kText, "", 0, 0, kAtStart,
     "shell text run before each solver, for example 'module load xfoil'"},
    {"monitor.interval_seconds", kNumber, "5", 0.1, 3600, kLive, "between two samples of a machine's load"},
    {"monitor.warn.cpu_percent", kNumber, "80", 0, 100, kLive, "warn above it"},
    {"monitor.warn.memory_percent", kNumber, "85", 0, 100, kLive, "warn above it"},
    {"monitor.warn.disk_percent", kNumber, "90", 0, 100, kLive, "warn above it"},
    {"monitor.emergency_memory_percent", kNumber, "90", 0, 100, kLive, "tasks go back to the queue above it"},
    {"emergency.priority_floor", kInteger, "5", -limits::kMaxPriority, limits::kMaxPriority, kLive,
     "running tasks below it go back to the queue in an emergency"},
    {"emergency.max_lost_minutes", kNumber, "30", 0, 1e6, kLive, "a task that would lose more goes on"},
    {"maintenance.interval_minutes", kNumber, "30", 0.1, 1e5, kLive, "between two rounds of maintenance"},
    {"throttle.enabled", kBoolean, "true", 0, 0, kLive, "hold work back from a machine that is under load"},
    {"throttle.cpu_percent", kNumber, "90", 1, 100, kLive, "load by others above which a machine gets fewer slots"},
    {"throttle.memory_percent", kNumber, "85", 1, 100, kLive, "memory in use above which a machine gets no work"},
    {"throttle.disk_percent", kNumber, "95", 1, 100, kLive, "disk in use above which a machine gets no work"},
    {"throttle.resume_below_percent", kNumber, "10", 0, 99, kLive,
     "how far below those a held machine must fall to get work again"},
    {"throttle.dwell_seconds", kNumber, "10", 0, 3600, kLive, "shortest time between two changes of mind"},
    {"resources.fence_seconds", kNumber, "600", 1, kDaySeconds, kLive,
     "silence after which a worker ends what holds a cluster-wide resource"},
    {"resources.<name>", kInteger, "", 0, 1e9, kLive, "a cluster-wide resource, for example licences"},
    {"solvers.<name>.default", kText, "", 0, 0, kLive, "the identity used when none is asked for"},
    {"solvers.<name>.same", kList, "", 0, 0, kLive, "identities whose results count as equal"},
    {"limits.events_mb", kInteger, "64", 1, 1e5, kLive, "size of the ring of events, in MiB"},
    {"limits.pending_tasks", kInteger, "500000000", 1, kMaxPendingTasks, kLive, "tasks not final; more are refused"},
    {"limits.jobs", kInteger, "1000000", 1, kMaxJobs, kLive, "jobs kept; more are refused"},
    {"limits.tasks_per_job", kInteger, "100000000", 1, kMaxTasksPerJob, kLive, "tasks of one job"},
    {"limits.workers", kInteger, "100000", 1, kMaxWorkers, kLive, "workers at a time; more are refused"},
    {"limits.memory_mb", kInteger, "0", 0, 1e9, kLive, "of the broker; submissions are refused above it; 0: no limit"},
};
// clang-format on

// The parts of a pattern before and after <name>.
std::pair<std::string_view, std::string_view> PatternEnds(const SettingRow& row) {
  return {row.key.substr(0, row.key.find('<')), row.key.substr(row.key.find('>') + 1)};
}

bool IsNameCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

const char* TypeName(SettingType type) {
  switch (type) {
    case kBoolean: return "true or false";
    case kInteger: return "a whole number";
    case kNumber: return "a number";
    case kText: return "text";
    case kList: return "a list of texts";
  }
  return "";
}

Error WrongType(const SettingRow& row, std::string_view key, const std::string& got) {
  const std::string name(key);
  return UsageError(name + " is " + TypeName(row.type) + ", not " + got, name);
}

Status CheckRange(const SettingRow& row, std::string_view key, double value) {
  if (value >= row.min && value <= row.max) return {};
  const std::string name(key);
  return UsageError(
      name + " is from " + FormatNumber(row.min) + " to " + FormatNumber(row.max) + ", not " + FormatNumber(value),
      name);
}

std::optional<bool> ParseBoolean(std::string_view text) {
  const std::string word = Lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::vector<std::string> ParseList(std::string_view text) {
  std::vector<std::string> list;
  if (Trim(text).empty()) return list;
  for (const std::string& item : Split(text, ',')) list.emplace_back(Trim(item));
  return list;
}

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string DescribeValue(const SettingValue& value) {
  if (std::holds_alternative<std::string>(value)) return Quoted(std::get<std::string>(value));
  if (std::holds_alternative<std::vector<std::string>>(value)) return "a list";
  return FormatSetting(value);
}

}  // namespace

const std::vector<SettingRow>& SettingsTable() { return kTable; }

std::optional<std::string> PatternName(const SettingRow& row, std::string_view key) {
  if (!row.is_pattern()) return std::nullopt;
  const auto [before, after] = PatternEnds(row);
  if (key.size() <= before.size() + after.size() || key.size() > limits::kMaxNameBytes) return std::nullopt;
  const std::string_view name = key.substr(before.size(), key.size() - before.size() - after.size());
  if (key.substr(0, before.size()) != before || key.substr(before.size() + name.size()) != after) return std::nullopt;
  if (!std::all_of(name.begin(), name.end(), IsNameCharacter)) return std::nullopt;
  return std::string(name);
}

const SettingRow* FindSetting(std::string_view key) {
  for (const SettingRow& row : kTable) {
    if (row.key == key && !row.is_pattern()) return &row;
  }
  for (const SettingRow& row : kTable) {
    if (PatternName(row, key)) return &row;
  }
  return nullptr;
}

Error UnknownSetting(std::string_view key) {
  std::vector<std::string> keys;
  for (const SettingRow& row : kTable) keys.emplace_back(row.key);
  std::string message = "unknown setting " + Quoted(key);
  const auto nearest = Nearest(key, keys);
  message += nearest ? "; did you mean " + *nearest + "?" : "; 'icarus config list' shows those there are";
  return UsageError(message, std::string(key));
}

Result<SettingValue> ParseSetting(const SettingRow& row, std::string_view key, std::string_view text) {
  std::optional<SettingValue> value;
  const std::string_view trimmed = Trim(text);
  switch (row.type) {
    case kBoolean:
      if (const auto flag = ParseBoolean(trimmed)) value = *flag;
      break;
    case kInteger:
      if (const auto integer = ParseInteger(trimmed)) value = *integer;
      break;
    case kNumber:
      if (const auto number = ParseNumber(trimmed)) value = *number;
      break;
    case kText: value = std::string(text); break;
    case kList: value = ParseList(text); break;
  }
  if (!value) return WrongType(row, key, Quoted(text));
  return CheckSetting(row, key, std::move(*value));
}

Result<SettingValue> CheckSetting(const SettingRow& row, std::string_view key, SettingValue value) {
  if (row.type == kNumber && std::holds_alternative<std::int64_t>(value)) {
    value = static_cast<double>(std::get<std::int64_t>(value));
  }
  // The alternatives of SettingValue stand in the order of SettingType.
  if (value.index() != static_cast<std::size_t>(row.type)) return WrongType(row, key, DescribeValue(value));
  if (row.type == kInteger) {
    ICARUS_TRY(CheckRange(row, key, static_cast<double>(std::get<std::int64_t>(value))));
  } else if (row.type == kNumber) {
    ICARUS_TRY(CheckRange(row, key, std::get<double>(value)));
  } else if (row.type == kList) {
    // A comma separates items in text, and what is set must read back as the same.
    for (const std::string& item : std::get<std::vector<std::string>>(value)) {
      if (item.empty() || item.find(',') != std::string::npos || Trim(item) != item) {
        return WrongType(row, key, Quoted(item) + " in it (empty, with a comma, or with blanks around)");
      }
    }
  }
  return value;
}

std::string FormatSetting(const SettingValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&value)) return FormatNumber(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  std::string joined;
  for (const std::string& item : std::get<std::vector<std::string>>(value)) {
    joined += (joined.empty() ? "" : ",") + item;
  }
  return joined;
}

std::string SettingVariable(std::string_view key) {
  std::string name = "ICARUS_";
  for (const char c : key) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    name.push_back(plain ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_');
  }
  return name;
}

std::optional<std::string> SettingOfVariable(std::string_view variable) {
  for (const SettingRow& row : kTable) {
    if (!row.is_pattern() && SettingVariable(row.key) == variable) return std::string(row.key);
  }
  for (const SettingRow& row : kTable) {
    if (!row.is_pattern()) continue;
    const auto [before, after] = PatternEnds(row);
    const std::string prefix = SettingVariable(before);
    const std::string suffix = SettingVariable(after).substr(std::string_view("ICARUS_").size());
    if (variable.size() <= prefix.size() + suffix.size() || variable.substr(0, prefix.size()) != prefix) continue;
    const std::string_view name = variable.substr(prefix.size(), variable.size() - prefix.size() - suffix.size());
    if (variable.substr(prefix.size() + name.size()) != suffix) continue;
    return std::string(before) + Lower(name) + std::string(after);
  }
  return std::nullopt;
}

}  // namespace icarus
