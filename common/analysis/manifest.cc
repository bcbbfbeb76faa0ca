#include "common/analysis/manifest.h"

#include <cmath>

// The same as wherever else the library is used: its modes share names of functions that differ.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "common/base/text.h"
#include "common/model/sweep.h"

namespace icarus {
namespace {

struct TypeName {
  const char* name;
  Parameter::Type type;
};
constexpr TypeName kTypeNames[] = {{"number", Parameter::Type::kNumber},
                                   {"integer", Parameter::Type::kInteger},
                                   {"numbers", Parameter::Type::kNumbers},
                                   {"boolean", Parameter::Type::kBoolean},
                                   {"word", Parameter::Type::kWord}};

Error Wrong(const std::string& origin, const std::string& key, const std::string& why) {
  return UsageError("manifest " + origin + ": '" + key + "' " + why, key);
}

std::optional<Parameter::Range> ReadRange(const toml::node_view<const toml::node>& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr || array->size() != 2) return std::nullopt;
  const auto low = array->get(0)->value<double>();
  const auto high = array->get(1)->value<double>();
  if (!low || !high || *low > *high) return std::nullopt;
  return Parameter::Range{*low, *high};
}

Value FromToml(const toml::node& node) {
  if (const auto flag = node.value_exact<bool>()) return Value(*flag);
  if (const auto number = node.value<double>()) return Value(*number);
  return Value(node.value_or(std::string()));
}

// Declared after type and range of the parameter are known.
Result<double> ReadKeyStep(const std::string& origin, const Parameter& parameter, const toml::node& node) {
  using Type = Parameter::Type;
  const std::string key = parameter.name + ".key_step";
  if (parameter.type != Type::kNumber && parameter.type != Type::kInteger && parameter.type != Type::kNumbers) {
    return Wrong(origin, key, "is for numbers, and this is a " + ParameterTypeName(parameter.type));
  }
  const double step = node.is_number() ? node.value_or(0.0) : 0.0;
  if (!std::isfinite(step) || step <= 0) return Wrong(origin, key, "must be a number above zero");
  if (parameter.type == Type::kInteger && std::trunc(step) != step) {
    return Wrong(origin, key, "must be a whole number, as the parameter is");
  }
  if (parameter.range && step > parameter.range->second - parameter.range->first) {
    return Wrong(origin, key,
                 "is " + FormatNumber(step) + ", wider than the range " + FormatNumber(parameter.range->first) +
                     " to " + FormatNumber(parameter.range->second));
  }
  return step;
}

Result<Parameter> ReadParameter(const std::string& origin, const std::string& name, const toml::table& table) {
  Parameter parameter;
  parameter.name = name;
  const std::string type = table["type"].value_or(std::string());
  bool known = false;
  for (const TypeName& entry : kTypeNames) {
    if (type != entry.name) continue;
    parameter.type = entry.type;
    known = true;
  }
  if (!known) return Wrong(origin, name + ".type", "must be number, integer, numbers, boolean or word");
  parameter.unit = table["unit"].value_or(std::string());
  parameter.summary = table["summary"].value_or(std::string());
  parameter.required = table["required"].value_or(false);
  if (table.contains("range")) {
    parameter.range = ReadRange(table["range"]);
    if (!parameter.range) return Wrong(origin, name + ".range", "must be [lowest, highest]");
  }
  if (const toml::node* step = table.get("key_step")) {
    ICARUS_ASSIGN(parameter.key_step, ReadKeyStep(origin, parameter, *step));
  }
  if (const toml::table* limits = table["limit"].as_table()) {
    for (const auto& [solver, node] : *limits) {
      const auto range = ReadRange(toml::node_view<const toml::node>(node));
      if (!range) return Wrong(origin, name + ".limit", "must be [lowest, highest] a solver");
      parameter.solver_range[std::string(solver.str())] = *range;
    }
  }
  if (const toml::array* choices = table["choices"].as_array()) {
    for (const toml::node& choice : *choices) parameter.choices.push_back(choice.value_or(std::string()));
  }
  if (const toml::table* condition = table["not_with"].as_table(); condition != nullptr && !condition->empty()) {
    const auto first = condition->begin();
    parameter.not_with = {std::string(first->first.str()), FromToml(first->second)};
  }
  if (const auto text = table["default"].value<std::string>()) {
    ICARUS_ASSIGN(parameter.default_value, ParseValue(*text));
  }
  return parameter;
}

Status ReadColumns(const std::string& origin, const toml::table& root, Manifest& manifest) {
  const toml::array* columns = root["columns"].as_array();
  if (columns == nullptr) return {};
  for (const toml::node& node : *columns) {
    const toml::table* column = node.as_table();
    if (column == nullptr) return Wrong(origin, "columns", "must be tables with a name");
    manifest.columns.push_back({(*column)["name"].value_or(std::string()), (*column)["unit"].value_or(std::string())});
  }
  return {};
}

Result<Manifest> ReadManifest(const std::string& origin, const toml::table& root) {
  Manifest manifest;
  manifest.analysis = root["analysis"].value_or(std::string());
  if (manifest.analysis.empty()) return Wrong(origin, "analysis", "is missing");
  manifest.summary = root["summary"].value_or(std::string());
  manifest.example = root["example"].value_or(std::string());
  manifest.cached = root["cached"].value_or(true);
  manifest.open_parameters = root["open_parameters"].value_or(false);
  manifest.retries = root["retries"].value_or(2);
  manifest.schema = root["schema"].value_or(1u);
  const std::string kind = root["target"]["kind"].value_or(std::string("none"));
  if (kind != "none" && kind != "airfoil") return Wrong(origin, "target.kind", "must be none or airfoil");
  manifest.target = kind == "airfoil" ? TargetKind::kAirfoil : TargetKind::kNone;
  if (const toml::array* solvers = root["solvers"].as_array()) {
    for (const toml::node& solver : *solvers) manifest.solvers.push_back(solver.value_or(std::string()));
  }
  if (manifest.solvers.empty()) return Wrong(origin, "solvers", "names no solver");
  if (const auto timeout = root["timeout"].value<std::string>()) {
    ICARUS_ASSIGN(manifest.timeout_ms, ParseDurationMs(*timeout));
  }
  ICARUS_TRY(ReadColumns(origin, root, manifest));
  if (const toml::table* parameters = root["parameters"].as_table()) {
    for (const auto& [name, node] : *parameters) {
      if (node.as_table() == nullptr) return Wrong(origin, std::string(name.str()), "must be a table");
      ICARUS_ASSIGN(Parameter parameter, ReadParameter(origin, std::string(name.str()), *node.as_table()));
      manifest.parameters.push_back(std::move(parameter));
    }
  }
  return manifest;
}

}  // namespace

std::string ParameterTypeName(Parameter::Type type) {
  for (const TypeName& entry : kTypeNames) {
    if (entry.type == type) return entry.name;
  }
  return "number";
}

const Parameter* Manifest::Find(const std::string& name) const {
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

Result<Manifest> ParseManifest(const std::string& toml_text, const std::string& origin) {
  const toml::parse_result parsed = toml::parse(toml_text, origin);
  if (!parsed) {
    return UsageError("manifest " + origin + ", line " + std::to_string(parsed.error().source().begin.line) + ": " +
                      std::string(parsed.error().description()));
  }
  return ReadManifest(origin, parsed.table());
}

}  // namespace icarus
