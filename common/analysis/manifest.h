// A manifest: an analysis as data. The client validates with it, the broker keys and schedules with it, the worker runs
// it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/model/value.h"

namespace icarus {

struct Parameter {
  enum class Type : std::uint8_t { kNumber, kInteger, kNumbers, kBoolean, kWord };
  using Range = std::pair<double, double>;  // both ends belong to it

  std::string name;
  Type type = Type::kNumber;
  std::string unit;
  std::string summary;
  std::optional<Range> range;
  std::map<std::string, Range> solver_range;  // narrower, by solver
  std::vector<std::string> choices;           // of a word
  std::optional<double> key_step;             // of numbers: what the key counts them in (key_step.h); none: exactly
  Value default_value;                        // null: none
  bool required = false;
  std::optional<std::pair<std::string, Value>> not_with;  // the parameter has no meaning when that one has this value
};
std::string ParameterTypeName(Parameter::Type type);

enum class TargetKind : std::uint8_t { kNone, kAirfoil };

struct Column {
  std::string name;
  std::string unit;
};

struct Manifest {
  std::string analysis;
  std::string summary;
  std::string example;
  TargetKind target = TargetKind::kNone;
  std::vector<std::string> solvers;  // the first is the default
  std::vector<Parameter> parameters;
  bool open_parameters = false;  // other parameters are allowed: they are axes of a command
  std::vector<Column> columns;
  bool cached = true;           // whether results are cached when nothing is said
  std::int64_t timeout_ms = 0;  // of one attempt, when nothing is said; 0: none
  std::int32_t retries = 0;
  std::uint32_t schema = 1;  // part of the key; rises when canonical parameters change their meaning

  const Parameter* Find(const std::string& name) const;
};

// Reads a manifest; errors name `origin` and the line or key.
Result<Manifest> ParseManifest(const std::string& toml_text, const std::string& origin);

}  // namespace icarus
