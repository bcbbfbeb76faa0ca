#include "worker/solvers/polar_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::worker {
namespace {

Error ParameterError(std::string_view name, const std::string& why) {
  return UsageError(std::string(name) + " " + why, std::string(name));
}

Result<double> Number(const ValueMap& params, std::string_view name, double low, double high) {
  const auto found = params.find(name);
  if (found == params.end() || !found->second.is_number()) return ParameterError(name, "must be given as a number");
  const double value = found->second.number();
  if (!(value >= low && value <= high)) {
    return ParameterError(name, "must lie in " + FormatNumber(low) + "…" + FormatNumber(high));
  }
  return value;
}

Result<int> Integer(const ValueMap& params, std::string_view name, int low, int high) {
  ICARUS_ASSIGN(const double value, Number(params, name, low, high));
  if (std::trunc(value) != value) return ParameterError(name, "must be a whole number");
  return static_cast<int>(value);
}

Result<std::vector<double>> Angles(const ValueMap& params) {
  const auto found = params.find("aoa");
  if (found == params.end()) return ParameterError("aoa", "must be given");
  const Value& value = found->second;
  const Value::List list = value.is_list() ? value.list() : Value::List{value};
  if (list.empty() || list.size() > limits::kMaxListValues) {
    return ParameterError("aoa", "must be 1 to " + std::to_string(limits::kMaxListValues) + " angles");
  }
  std::vector<double> angles;
  for (const Value& item : list) {
    if (!item.is_number() || !(std::abs(item.number()) <= 30)) {
      return ParameterError("aoa", "must be angles in -30…30 degrees");
    }
    angles.push_back(item.number());
  }
  std::sort(angles.begin(), angles.end());
  angles.erase(std::unique(angles.begin(), angles.end()), angles.end());
  return angles;
}

Status ReadNumbers(const ValueMap& params, PolarRequest& request) {
  ICARUS_ASSIGN(request.mach, Number(params, "mach", 0, 0.9));
  ICARUS_ASSIGN(request.ncrit, Number(params, "ncrit", 1, 20));
  ICARUS_ASSIGN(request.xtr_top, Number(params, "xtr_top", 0, 1));
  ICARUS_ASSIGN(request.xtr_bottom, Number(params, "xtr_bottom", 0, 1));
  ICARUS_ASSIGN(request.panels, Integer(params, "panels", 40, 360));
  ICARUS_ASSIGN(request.iter, Integer(params, "iter", 10, 200));
  ICARUS_ASSIGN(request.march, Number(params, "march", 0.1, 2));
  return {};
}

}  // namespace

Result<PolarRequest> ReadPolarRequest(const ValueMap& params) {
  PolarRequest request;
  ICARUS_ASSIGN(request.aoa, Angles(params));
  ICARUS_TRY(ReadNumbers(params, request));
  const auto viscous = params.find("viscous");
  if (viscous == params.end() || !viscous->second.is_bool()) return ParameterError("viscous", "must be true or false");
  request.viscous = viscous->second.boolean();
  const auto geometry = params.find("geometry");
  if (geometry == params.end() || !geometry->second.is_string() ||
      (geometry->second.string() != "solver" && geometry->second.string() != "exact")) {
    return ParameterError("geometry", "must be solver or exact");
  }
  request.exact_geometry = geometry->second.string() == "exact";
  if (request.viscous) {
    ICARUS_ASSIGN(request.reynolds, Number(params, "reynolds", 1e3, 1e8));
  }
  return request;
}

const std::vector<std::string>& PolarColumns() {
  static const std::vector<std::string> columns = {"aoa", "cl", "cd", "cdp", "cm", "xtr_top", "xtr_bottom"};
  return columns;
}

double RoundResult(double value) {
  if (!std::isfinite(value)) return value;
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, 9);
  double rounded = 0;
  std::from_chars(text.data(), written.ptr, rounded);
  return rounded == 0 ? 0.0 : rounded;  // no negative zero
}

Value Cell(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return Value();
  return Value(*value);
}

MissingPoint MissingAngle(double aoa, std::string reason) {
  return MissingPoint{{{"aoa", Value(aoa)}}, std::move(reason)};
}

}  // namespace icarus::worker
