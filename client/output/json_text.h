// JSON text: the one way in which a document leaves the program.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/model/value.h"

namespace icarus::client {

using Json = nlohmann::ordered_json;

// On one line, without a line end. Numbers are the shortest that read back the same; not-a-number and infinities are
// null; bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const Json& json);

// A whole number is an integer (1000000, not 1000000.0); not-a-number and infinities are null.
Json NumberJson(double value);
Json ValueJson(const Value& value);
Json ValueMapJson(const ValueMap& values);
// Null for empty text: there is no such thing here.
Json TextJson(const std::string& text);
// ISO 8601 UTC; null for 0.
Json TimeJson(std::int64_t wall_ms);

}  // namespace icarus::client
