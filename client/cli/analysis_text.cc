#include "client/cli/analysis_text.h"

#include <map>

#include "client/output/text_table.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

bool IsBuiltIn(const Manifest& manifest, const std::string& solver) { return manifest.analysis == solver; }

// Worker name → identity, of the workers that have the solver. What carries out itself is on every worker.
std::map<std::string, std::string> Offering(const Manifest& manifest, const std::string& solver,
                                            const std::vector<WorkerInfo>& workers) {
  std::map<std::string, std::string> offering;
  for (const WorkerInfo& worker : workers) {
    if (worker.state == "lost") continue;
    const auto found = worker.solvers.find(solver);
    if (found != worker.solvers.end()) {
      offering[worker.name] = found->second;
    } else if (IsBuiltIn(manifest, solver)) {
      offering[worker.name] = "";
    }
  }
  return offering;
}

std::string TargetText(TargetKind kind) { return kind == TargetKind::kAirfoil ? "airfoil" : "none"; }

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string SolversText(const Manifest& manifest, const std::vector<WorkerInfo>& workers) {
  std::string text;
  for (const std::string& solver : manifest.solvers) {
    text += (text.empty() ? "" : ", ") + solver;
    if (!workers.empty() && Offering(manifest, solver, workers).empty()) text += " (no worker)";
  }
  return text;
}

std::string RangeText(const Parameter& parameter) {
  if (!parameter.choices.empty()) return Joined(parameter.choices);
  if (parameter.type == Parameter::Type::kBoolean) return "true, false";
  if (!parameter.range) return "";
  std::string text = FormatNumber(parameter.range->first) + " … " + FormatNumber(parameter.range->second);
  for (const auto& [solver, range] : parameter.solver_range) {
    text += " (" + solver + " " + FormatNumber(range.first) + " … " + FormatNumber(range.second) + ")";
  }
  return text;
}

std::string DefaultText(const Parameter& parameter) {
  if (parameter.required) return "required";
  const Value& value = parameter.default_value;
  if (!value.is_list() || value.list().size() < 4) return FormatValue(value);
  return FormatValue(value.list().front()) + ", " + FormatValue(value.list()[1]) + " … " +
         FormatValue(value.list().back());
}

std::string ParameterTable(const Manifest& manifest, const TextStyle& style) {
  TextTable table;
  for (const char* title : {"parameter", "type", "unit", "range", "default", "key step", "meaning"})
    table.AddColumn(title);
  for (const Parameter& parameter : manifest.parameters) {
    table.AddRow({parameter.name, ParameterTypeName(parameter.type), parameter.unit, RangeText(parameter),
                  DefaultText(parameter), parameter.key_step ? FormatNumber(*parameter.key_step) : "",
                  parameter.summary});
  }
  table.DropEmptyColumns();
  return table.Render(style);
}

std::string SolverLines(const Manifest& manifest, const std::vector<WorkerInfo>& workers) {
  std::string text;
  for (const std::string& solver : manifest.solvers) {
    text += "solver " + solver;
    const auto offering = Offering(manifest, solver, workers);
    if (offering.empty() && !workers.empty()) text += ": on no worker";
    bool first = true;
    for (const auto& [worker, identity] : offering) {
      text += (first ? ": " : ", ") + worker + (identity.empty() ? "" : " (" + identity + ")");
      first = false;
    }
    text += "\n";
  }
  return text;
}

Json RangeJson(const Parameter::Range& range) {
  return Json::array({NumberJson(range.first), NumberJson(range.second)});
}

Json ParameterJson(const Parameter& parameter) {
  Json json = {
      {"name", parameter.name},           {"type", ParameterTypeName(parameter.type)},
      {"unit", TextJson(parameter.unit)}, {"range", parameter.range ? RangeJson(*parameter.range) : Json(nullptr)},
      {"choices", parameter.choices},     {"default", ValueJson(parameter.default_value)},
      {"required", parameter.required},   {"summary", parameter.summary}};
  if (parameter.key_step) json["key_step"] = NumberJson(*parameter.key_step);
  for (const auto& [solver, range] : parameter.solver_range) json["solver_range"][solver] = RangeJson(range);
  return json;
}

}  // namespace

std::string CatalogueText(const std::vector<Manifest>& manifests, const std::vector<WorkerInfo>& workers,
                          const TextStyle& style) {
  TextTable table;
  for (const char* title : {"analysis", "solvers", "summary"}) table.AddColumn(title);
  for (const Manifest& manifest : manifests) {
    table.AddRow({manifest.analysis, SolversText(manifest, workers), manifest.summary});
  }
  return table.Render(style);
}

std::string AnalysisText(const Manifest& manifest, const std::vector<WorkerInfo>& workers, const TextStyle& style) {
  std::string text = manifest.analysis + ": " + manifest.summary + "\n";
  text += "target: " + TargetText(manifest.target) + "; " +
          (manifest.cached ? "results are cached" : "not cached unless --cache is given");
  text += manifest.timeout_ms > 0 ? "; timeout " + FormatDuration(static_cast<double>(manifest.timeout_ms) / 1000) : "";
  text += "\n" + SolverLines(manifest, workers);
  if (!manifest.parameters.empty()) text += "\n" + ParameterTable(manifest, style);
  if (manifest.open_parameters)
    text += "\nEvery parameter is an axis of its own: {name} in arguments and file names.\n";
  if (!manifest.columns.empty()) {
    text += "\ncolumns:";
    for (const Column& column : manifest.columns)
      text += " " + column.name + (column.unit.empty() ? "" : " [" + column.unit + "]");
    text += "\n";
  }
  return text + "\n  " + manifest.example + "\n";
}

Json AnalysisJson(const Manifest& manifest, const std::vector<WorkerInfo>& workers) {
  Json json = {{"analysis", manifest.analysis}, {"summary", manifest.summary}, {"target", TargetText(manifest.target)}};
  json["solvers"] = Json::array();
  for (const std::string& solver : manifest.solvers) {
    Json offering = Json::object();
    for (const auto& [worker, identity] : Offering(manifest, solver, workers)) offering[worker] = TextJson(identity);
    json["solvers"].push_back({{"name", solver}, {"workers", offering}});
  }
  json["parameters"] = Json::array();
  for (const Parameter& parameter : manifest.parameters) json["parameters"].push_back(ParameterJson(parameter));
  json["open_parameters"] = manifest.open_parameters;
  json["columns"] = Json::array();
  for (const Column& column : manifest.columns) {
    json["columns"].push_back({{"name", column.name}, {"unit", TextJson(column.unit)}});
  }
  json["cached"] = manifest.cached;
  json["timeout_s"] = NumberJson(static_cast<double>(manifest.timeout_ms) / 1000);
  json["retries"] = manifest.retries;
  json["example"] = manifest.example;
  return json;
}

}  // namespace icarus::client
