#include "worker/launcher/value_message.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/model/value.h"
#include "worker/launcher/json_members.h"

namespace icarus::worker {
namespace {

constexpr std::size_t kMostOfAnId = 64;
constexpr std::size_t kMostShown = 40;  // of what somebody wrote, in a message about it

BadLine Missing(std::string id, const std::string& type, const std::string& member) {
  return {std::move(id), type + " needs the member '" + member + "'"};
}

BadLine TooLarge(std::string id, const std::string& what, std::size_t bytes, std::size_t limit) {
  return {std::move(id), what + " has " + std::to_string(bytes) + " bytes, more than the limit of " +
                             std::to_string(limit) + " (" + FormatSize(limit) + ")"};
}

// The beginning, not cut in a character.
std::string Shortened(const std::string& text) {
  std::size_t end = std::min(text.size(), kMostShown);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

bool IsScalar(const std::string& text) { return text.front() != '{' && text.front() != '['; }

// Empty: it has none that can be repeated.
std::string IdOf(const JsonMembers& members) {
  const auto found = members.find("id");
  const bool usable = found != members.end() && IsScalar(found->second) && found->second.size() <= kMostOfAnId;
  return usable ? found->second : std::string();
}

ValueLine ReadGet(JsonMembers& members, std::string id) {
  if (!members.contains("id")) return Missing({}, "cache_get", "id");
  if (id.empty()) {
    return BadLine{{}, "the id must be a number or a string of at most " + std::to_string(kMostOfAnId) + " bytes"};
  }
  return CacheGet{std::move(id), std::move(members.at("key"))};
}

ValueLine ReadPut(JsonMembers& members, std::string id) {
  const auto value = members.find("value");
  if (value == members.end()) return Missing(std::move(id), "cache_put", "value");
  if (value->second.size() > limits::kMaxResultBytes) {
    return TooLarge(std::move(id), "the value", value->second.size(), limits::kMaxResultBytes);
  }
  CachePut put{std::move(members.at("key")), std::move(value->second), 0};
  if (const auto took = members.find("compute_s"); took != members.end()) {
    const auto seconds = ParseNumber(took->second);
    if (!seconds || *seconds < 0) return BadLine{std::move(id), "compute_s must be a number of seconds, at least 0"};
    put.compute_s = *seconds;
  }
  return put;
}

}  // namespace

ValueLine ReadValueLine(std::string_view line) {
  Result<JsonMembers> members = ReadJsonMembers(line, "key");
  if (!members) return BadLine{{}, "the line cannot be read: " + members.error().message};
  std::string id = IdOf(*members);
  const auto named = members->find("type");
  const std::string type = named == members->end() ? "" : named->second;
  if (type != R"("cache_get")" && type != R"("cache_put")") {
    const std::string shown = type.empty() ? "there is no type" : "the type is " + Shortened(type);
    return BadLine{std::move(id), shown + "; there are cache_get and cache_put"};
  }
  const auto key = members->find("key");
  if (key == members->end()) return Missing(std::move(id), type.substr(1, type.size() - 2), "key");
  if (key->second.size() > limits::kValueKeyBytes) {
    return TooLarge(std::move(id), "the key, written without spaces,", key->second.size(), limits::kValueKeyBytes);
  }
  return type == R"("cache_get")" ? ReadGet(*members, std::move(id)) : ReadPut(*members, std::move(id));
}

std::string CacheValueLine(std::string_view id, const std::string* value) {
  std::string line = R"({"type":"cache_value","id":)";
  line += id;
  line += R"(,"value":)";
  line += value != nullptr ? *value : "null";
  return line + "}\n";
}

std::string ErrorLine(std::string_view id, std::string_view message) {
  std::string line = R"({"type":"error",)";
  if (!id.empty()) line.append(R"("id":)").append(id).append(",");
  line += R"("message":)";
  AppendCanonicalString(line, message);
  return line + "}\n";
}

std::string TooLongLine() {
  return ErrorLine({}, "the line is longer than the limit of " + std::to_string(limits::kValueLineBytes) +
                           " bytes, and is skipped: a value may have " + std::to_string(limits::kMaxResultBytes) +
                           " (" + FormatSize(limits::kMaxResultBytes) + "), a key " +
                           std::to_string(limits::kValueKeyBytes));
}

}  // namespace icarus::worker
