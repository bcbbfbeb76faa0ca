// Structured logging: one line an event, as text or as one JSON object, with key-value fields.
// The functions may be called from any thread; InitLogging once, before threads start. Until it is called, warnings and
// errors go to standard error as text. Times are UTC with milliseconds.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.h"
#include "common/base/strong_id.h"

namespace icarus {

enum class LogLevel : std::uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3, kOff = 4 };

// "debug", "info", "warning" (or "warn"), "error", "off".
Result<LogLevel> ParseLogLevel(std::string_view text);

struct LogOptions {
  std::string program;  // named in JSON lines
  LogLevel level = LogLevel::kInfo;
  bool json = false;
  std::string path;  // appended to; empty: standard error
};

// kIo when the file cannot be opened; the logging before the call then goes on.
Status InitLogging(const LogOptions& options);
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// A field borrows its text: it lives as long as the call that it is an argument of.
struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;
  std::string_view key;
  Value value;

  LogField(std::string_view k, std::string_view text) : key(k), value(text) {}
  LogField(std::string_view k, const std::string& text) : key(k), value(std::string_view(text)) {}
  LogField(std::string_view k, const char* text) : key(k), value(std::string_view(text)) {}
  LogField(std::string_view k, bool flag) : key(k), value(flag) {}
  LogField(std::string_view k, std::floating_point auto number) : key(k), value(static_cast<double>(number)) {}
  LogField(std::string_view k, std::signed_integral auto number) : key(k), value(static_cast<std::int64_t>(number)) {}
  LogField(std::string_view k, std::unsigned_integral auto number)
      : key(k), value(static_cast<std::uint64_t>(number)) {}
  template <class Tag, class Rep>
  LogField(std::string_view k, const StrongId<Tag, Rep>& id) : LogField(k, id.value) {}
};
using LogFields = std::initializer_list<LogField>;

// LogInfo("worker registered", {{"worker", name}, {"slots", 4}}); costs a comparison when the level is off.
void Log(LogLevel level, std::string_view message, LogFields fields);
inline void LogDebug(std::string_view message, LogFields fields = {}) { Log(LogLevel::kDebug, message, fields); }
inline void LogInfo(std::string_view message, LogFields fields = {}) { Log(LogLevel::kInfo, message, fields); }
inline void LogWarning(std::string_view message, LogFields fields = {}) { Log(LogLevel::kWarning, message, fields); }
inline void LogError(std::string_view message, LogFields fields = {}) { Log(LogLevel::kError, message, fields); }

}  // namespace icarus
