#include "common/analysis/cache_key.h"

#include "common/analysis/command_template.h"
#include "common/analysis/key_step.h"
#include "common/analysis/validate.h"

namespace icarus {
namespace {

void AppendMember(std::string& out, std::string_view name, std::string_view text) {
  AppendCanonicalString(out, name);
  out += ':';
  AppendCanonicalString(out, text);
}

void AppendList(std::string& out, std::string_view name, const std::vector<std::string>& items) {
  AppendCanonicalString(out, name);
  out += ":[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    AppendCanonicalString(out, items[i]);
  }
  out += ']';
}

void AppendCommand(std::string& out, const CommandSpec& command) {
  out += "\"command\":{";
  AppendList(out, "argv", command.argv);
  out += ",\"env\":{";
  bool first = true;
  for (const auto& [name, value] : command.env) {
    if (!first) out += ',';
    first = false;
    AppendMember(out, name, value);
  }
  out += "},\"inputs\":[";
  for (std::size_t i = 0; i < command.inputs.size(); ++i) {
    if (i > 0) out += ',';
    const FileRef& input = command.inputs[i];
    out += '{';
    AppendMember(out, "hash", input.hash.Hex());
    out += ",\"mode\":" + std::to_string(input.mode) + ',';
    AppendMember(out, "name", input.name);
    out += '}';
  }
  out += "],";
  AppendList(out, "outputs", command.outputs);
  out += ',';
  AppendMember(out, "stdin", command.stdin_name.value_or(""));
  out += "},";
}

void AppendKeySteps(std::string& out, const Manifest& manifest, const ValueMap& rounded) {
  out += "\"key_step\":";
  ValueMap steps;
  for (const auto& [name, value] : rounded) steps[name] = Value(*manifest.Find(name)->key_step);
  AppendCanonical(out, steps);
  out += ',';
}

}  // namespace

std::string CanonicalForm(const KeyParts& parts) {
  std::string out = "{";
  AppendMember(out, "analysis", parts.manifest.analysis);
  out += ',';
  if (parts.command != nullptr) AppendCommand(out, *parts.command);
  ValueMap rounded = RoundedParams(parts.manifest, parts.params);
  if (!rounded.empty()) AppendKeySteps(out, parts.manifest, rounded);
  AppendCanonicalString(out, "params");
  out += ':';
  if (rounded.empty()) {
    AppendCanonical(out, parts.params);
  } else {
    rounded.insert(parts.params.begin(), parts.params.end());
    AppendCanonical(out, rounded);
  }
  out += ",\"schema\":" + std::to_string(parts.manifest.schema) + ',';
  AppendMember(out, "solver", parts.solver + "@" + parts.identity);
  out += ",\"target\":";
  if (parts.target == nullptr) {
    out += "null";
  } else if (parts.target->content.empty()) {
    AppendCanonicalString(out, parts.target->name);
  } else {
    out += '{';
    AppendMember(out, "content", HashBytes(parts.target->content).Hex());
    out += '}';
  }
  return out + "}";
}

Result<std::string> TaskForm(const JobSpec& spec, const Manifest& manifest, const std::string& identity,
                             TaskIndex index) {
  TaskPoint point = spec.sweep.At(index);
  const Target* target = spec.sweep.targets.empty() ? nullptr : &spec.sweep.targets[point.target];
  std::optional<CommandSpec> command;
  if (spec.command) {
    ICARUS_ASSIGN(command, SubstituteCommand(*spec.command, point.params, index, target ? target->name : ""));
  }
  ICARUS_ASSIGN(const ValueMap params, TaskParams(manifest, std::move(point.params)));
  return CanonicalForm(KeyParts{manifest, spec.solver, identity, target, command ? &*command : nullptr, params});
}

std::string IntermediateForm(const std::string& analysis, const std::string& solver, const std::string& identity,
                             const std::string& key) {
  std::string out = "{";
  AppendMember(out, "analysis", analysis);
  out += ',';
  AppendMember(out, "intermediate", key);
  out += ",\"params\":{},";
  AppendMember(out, "solver", solver + "@" + identity);
  return out + "}";
}

bool IsCacheable(const Manifest& manifest, const JobSpec& spec) {
  if (spec.cache == CachePolicy::kNone) return false;
  if (spec.command && spec.command->cwd) return false;
  return manifest.cached || spec.cache == CachePolicy::kForce || spec.cache == CachePolicy::kForceRefresh;
}

}  // namespace icarus
