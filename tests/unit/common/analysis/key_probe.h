// A small analysis of every kind of parameter, and the canonical forms of its tasks from what a user writes.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "common/analysis/cache_key.h"
#include "common/analysis/catalogue.h"
#include "common/analysis/validate.h"
#include "common/base/check.h"

namespace icarus {

inline constexpr char kProbe[] = R"(
analysis = "probe"
solvers = ["fine", "coarse"]
target = { kind = "airfoil" }
schema = 3
[parameters.angles]
type = "numbers"
range = [-1e9, 1e9]
default = "0:2:1"
[parameters.count]
type = "integer"
range = [1, 1000]
default = "7"
[parameters.exact]
type = "boolean"
default = "true"
[parameters.load]
type = "number"
default = "100"
[parameters.method]
type = "word"
choices = ["plain", "fancy", "1"]
default = "plain"
[parameters.speed]
type = "number"
required = true
not_with = { exact = false }
)";

// As a user writes them: a name and what comes behind its `=`.
using Written = std::vector<std::pair<std::string, std::string>>;

class Probe {
 public:
  explicit Probe(const std::string& manifest = kProbe) : catalogue_({Parsed(manifest)}) {}

  const Manifest& manifest() const { return catalogue_.manifests().front(); }

  static JobSpec Spec(const Written& written) {
    JobSpec spec;
    spec.analysis = "probe";
    spec.sweep.targets = {{"naca2412", ""}};
    spec.sweep.base["speed"] = Value(10.0);
    for (const auto& [name, text] : written) spec.sweep.base[name] = *ParseValue(text);
    return spec;
  }

  std::string FormOfSpec(JobSpec spec, TaskIndex index = 0) const {
    const Status status = CanonicaliseSpec(catalogue_, spec);
    ICARUS_CHECK(status.has_value());
    return *TaskForm(spec, manifest(), "1.0+abcd", index);
  }
  std::string Form(const Written& written) const { return FormOfSpec(Spec(written)); }

 private:
  static Manifest Parsed(const std::string& text) {
    auto manifest = ParseManifest(text, "probe.toml");
    ICARUS_CHECK(manifest.has_value());
    return std::move(*manifest);
  }

  Catalogue catalogue_;
};

// A number that has few decimal digits.
struct Decimal {
  int mantissa = 0;
  int exponent = 0;

  std::string Text() const { return std::to_string(mantissa) + "e" + std::to_string(exponent); }
  double Number() const { return std::stod(Text()); }
};

}  // namespace icarus
