#include "common/model/value.h"

#include <array>
#include <cstdio>

#include "common/base/text.h"

namespace icarus {

std::string FormatValue(const Value& value) {
  if (value.is_null()) return "";
  if (value.is_bool()) return value.boolean() ? "true" : "false";
  if (value.is_number()) return FormatNumber(value.number());
  if (value.is_string()) return value.string();
  std::string out = "[";
  for (const Value& item : value.list()) {
    if (out.size() > 1) out += ',';
    out += FormatValue(item);
  }
  return out + "]";
}

void AppendCanonicalString(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
      out += escape.data();
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendCanonical(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_string()) {
    AppendCanonicalString(out, value.string());
  } else if (value.is_list()) {
    out += '[';
    bool first = true;
    for (const Value& item : value.list()) {
      if (!first) out += ',';
      first = false;
      AppendCanonical(out, item);
    }
    out += ']';
  } else {
    out += FormatValue(value);
  }
}

void AppendCanonical(std::string& out, const ValueMap& values) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : values) {
    if (!first) out += ',';
    first = false;
    AppendCanonicalString(out, name);
    out += ':';
    AppendCanonical(out, value);
  }
  out += '}';
}

}  // namespace icarus
