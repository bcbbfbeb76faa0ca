#include "common/base/logging.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "common/base/clock.h"
#include "common/base/text.h"

namespace icarus {
namespace {

constexpr std::array<const char*, 5> kLevelNames = {"debug", "info", "warning", "error", "off"};

struct Destination {
  std::shared_ptr<spdlog::logger> logger;  // adds nothing to the lines: they are rendered here
  std::string program;
  bool json = false;
};

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("icarus", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

// Never destroyed: destructors of statics may still log.
Destination& TheDestination() {
  static auto* destination = new Destination{MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>()), {}, false};
  return *destination;
}

std::atomic<LogLevel> the_level{LogLevel::kWarning};

// The length of the well-formed UTF-8 sequence at the beginning of `text` (Unicode 15, table 3-7), 0 if there is none.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

void AppendEscapedControl(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out.push_back(kHex[c >> 4]);
  out.push_back(kHex[c & 15]);
}

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
    return AppendEscapedControl(out, static_cast<unsigned char>(c));
  out.push_back(c);
}

// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      AppendEscaped(out, text.front());
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

void AppendValue(std::string& out, const LogField::Value& value, bool json) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (json || NeedsQuotes(*text)) return AppendQuoted(out, *text);
    out += *text;
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value)) {
    out += std::isfinite(*number) ? FormatNumber(*number) : "null";
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*integer);
  } else {
    out += std::to_string(std::get<std::uint64_t>(value));
  }
}

std::string RenderJson(LogLevel level, const std::string& program, std::string_view message, LogFields fields) {
  std::string line = "{\"time\":\"" + FormatUtc(ReadClocks().wall_ms) + "\",\"level\":\"";
  line += kLevelNames[static_cast<std::size_t>(level)];
  line += "\",\"program\":";
  AppendQuoted(line, program);
  line += ",\"pid\":" + std::to_string(::getpid()) + ",\"message\":";
  AppendQuoted(line, message);
  for (const LogField& field : fields) {
    line.push_back(',');
    AppendQuoted(line, field.key);
    line.push_back(':');
    AppendValue(line, field.value, true);
  }
  line.push_back('}');
  return line;
}

// A line break in a message must not look like the beginning of another event.
void AppendOnOneLine(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      AppendEscaped(out, c);
    } else {
      out.push_back(c);
    }
  }
}

std::string RenderText(LogLevel level, std::string_view message, LogFields fields) {
  std::string line = FormatUtc(ReadClocks().wall_ms) + " ";
  line += kLevelNames[static_cast<std::size_t>(level)];
  line.push_back(' ');
  AppendOnOneLine(line, message);
  for (const LogField& field : fields) {
    line.push_back(' ');
    line += field.key;
    line.push_back('=');
    AppendValue(line, field.value, false);
  }
  return line;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
    case LogLevel::kOff: break;
  }
  return spdlog::level::off;
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view text) {
  if (text == "warn") return LogLevel::kWarning;
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (text == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  return UsageError("'" + std::string(text) + "' is not a log level; write debug, info, warning, error or off",
                    "log-level");
}

Status InitLogging(const LogOptions& options) {
  Destination& destination = TheDestination();
  try {
    if (options.path.empty()) {
      destination.logger = MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    } else {
      destination.logger = MakeLogger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.path));
    }
  } catch (const spdlog::spdlog_ex& error) {
    return IoError("cannot write the log " + options.path + ": " + error.what());
  }
  destination.program = options.program;
  destination.json = options.json;
  SetLogLevel(options.level);
  return {};
}

void SetLogLevel(LogLevel level) { the_level.store(level, std::memory_order_relaxed); }

bool LogEnabled(LogLevel level) {
  return level >= the_level.load(std::memory_order_relaxed) && level != LogLevel::kOff;
}

void Log(LogLevel level, std::string_view message, LogFields fields) {
  if (!LogEnabled(level)) return;
  const Destination& destination = TheDestination();
  const std::string line =
      destination.json ? RenderJson(level, destination.program, message, fields) : RenderText(level, message, fields);
  destination.logger->log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace icarus
