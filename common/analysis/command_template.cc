#include "common/analysis/command_template.h"

#include <cctype>
#include <string_view>
#include <utility>

namespace icarus {
namespace {

using Placeholders = std::map<std::string, std::string, std::less<>>;

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}

bool IsName(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!IsNameCharacter(c)) return false;
  }
  return true;
}

std::string KnownNames(const Placeholders& values) {
  std::string names;
  for (const auto& [name, value] : values) names += (names.empty() ? "{" : ", {") + name + "}";
  return names;
}

// Appends what the brace at text[at] stands for; returns the position after it.
Result<std::size_t> ExpandBrace(std::string_view text, std::size_t at, const Placeholders& values, std::string& out) {
  const std::size_t end = text.find('}', at);
  const std::string_view name = end == std::string_view::npos ? std::string_view() : text.substr(at + 1, end - at - 1);
  if (!IsName(name)) {
    return UsageError("a { in '" + std::string(text) + "' begins no placeholder; write {{ for a brace", "command");
  }
  const auto found = values.find(name);
  if (found == values.end()) {
    return UsageError("unknown placeholder {" + std::string(name) + "} in '" + std::string(text) + "'; known are " +
                          KnownNames(values) + "; write {{ for a brace",
                      "command");
  }
  out += found->second;
  return end + 1;
}

Result<std::string> Expand(std::string_view text, const Placeholders& values) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    const bool doubled = at + 1 < text.size() && text[at + 1] == c;
    if (c == '{' && !doubled) {
      ICARUS_ASSIGN(at, ExpandBrace(text, at, values, out));
      continue;
    }
    out += c;
    at += (c == '{' || c == '}') && doubled ? 2 : 1;
  }
  return out;
}

Status ExpandInPlace(std::string& text, const Placeholders& values) {
  ICARUS_ASSIGN(text, Expand(text, values));
  return {};
}

Result<CommandSpec> ExpandAll(CommandSpec command, const Placeholders& values) {
  for (auto& argument : command.argv) ICARUS_TRY(ExpandInPlace(argument, values));
  for (auto& input : command.inputs) ICARUS_TRY(ExpandInPlace(input.name, values));
  for (auto& output : command.outputs) ICARUS_TRY(ExpandInPlace(output, values));
  if (command.stdin_name) ICARUS_TRY(ExpandInPlace(*command.stdin_name, values));
  if (!command.keep) return command;
  for (auto& pattern : command.keep->files) ICARUS_TRY(ExpandInPlace(pattern, values));
  return command;
}

}  // namespace

Result<CommandSpec> SubstituteCommand(const CommandSpec& command, const ValueMap& axes, std::uint32_t index,
                                      const std::string& target_name) {
  if (axes.empty() && target_name.empty()) return command;
  Placeholders values;
  for (const auto& [name, value] : axes) values[name] = FormatValue(value);
  values["index"] = std::to_string(index);
  if (!target_name.empty()) values["target"] = target_name;
  return ExpandAll(command, values);
}

Status CheckCommandTemplate(const CommandSpec& command, const std::vector<std::string>& axis_names, bool has_target) {
  if (axis_names.empty() && !has_target) return {};
  Placeholders values;
  for (const auto& name : axis_names) values[name] = "";
  values["index"] = "";
  if (has_target) values["target"] = "";
  ICARUS_TRY(ExpandAll(command, values));
  return {};
}

}  // namespace icarus
