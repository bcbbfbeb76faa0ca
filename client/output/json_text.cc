#include "client/output/json_text.h"

#include <cmath>

#include "common/base/clock.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

void AppendString(std::string& out, const Json& string) {
  out += string.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Append(std::string& out, const Json& json);

void AppendObject(std::string& out, const Json& object) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : object.items()) {
    if (!first) out += ',';
    first = false;
    AppendString(out, Json(key));
    out += ':';
    Append(out, value);
  }
  out += '}';
}

void AppendArray(std::string& out, const Json& array) {
  out += '[';
  bool first = true;
  for (const Json& item : array) {
    if (!first) out += ',';
    first = false;
    Append(out, item);
  }
  out += ']';
}

// The library's own dump is not always the shortest for floating point, so those are printed here.
void Append(std::string& out, const Json& json) {
  if (json.is_object()) {
    AppendObject(out, json);
  } else if (json.is_array()) {
    AppendArray(out, json);
  } else if (json.is_number_float()) {
    const double value = json.get<double>();
    out += std::isfinite(value) ? FormatNumber(value) : "null";
  } else {
    AppendString(out, json);
  }
}

}  // namespace

std::string DumpJson(const Json& json) {
  std::string out;
  Append(out, json);
  return out;
}

Json NumberJson(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (std::trunc(value) == value && std::abs(value) < kExactIntegers) return static_cast<std::int64_t>(value);
  return value;
}

Json ValueJson(const Value& value) {
  if (value.is_null()) return nullptr;
  if (value.is_bool()) return value.boolean();
  if (value.is_number()) return NumberJson(value.number());
  if (value.is_string()) return value.string();
  Json array = Json::array();
  for (const Value& item : value.list()) array.push_back(ValueJson(item));
  return array;
}

Json ValueMapJson(const ValueMap& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = ValueJson(value);
  return object;
}

Json TextJson(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json TimeJson(std::int64_t wall_ms) { return wall_ms == 0 ? Json(nullptr) : Json(FormatUtc(wall_ms)); }

}  // namespace icarus::client
