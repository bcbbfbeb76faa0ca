// The parameters of one airfoil_polar task, decoded from their canonical form. Shared by the solvers that carry it out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/result_body.h"
#include "common/model/value.h"

namespace icarus::worker {

struct PolarRequest {
  std::vector<double> aoa;         // degrees, rising, each once
  std::optional<double> reynolds;  // set when viscous
  double mach = 0;
  double ncrit = 9;
  double xtr_top = 1;  // x/c; 1 is free transition
  double xtr_bottom = 1;
  int panels = 160;
  int iter = 100;
  bool viscous = true;
  bool exact_geometry = false;
  double march = 0.5;  // degrees
};

// An error (usage) names the parameter that is absent, of another type or outside its range.
Result<PolarRequest> ReadPolarRequest(const ValueMap& params);

// aoa, cl, cd, cdp, cm, xtr_top, xtr_bottom.
const std::vector<std::string>& PolarColumns();

// The value to 10 significant digits: what built-in kernels report, so that machines agree.
double RoundResult(double value);

// A number of a result: null when it is absent or not finite.
Value Cell(std::optional<double> value);

MissingPoint MissingAngle(double aoa, std::string reason);

}  // namespace icarus::worker
