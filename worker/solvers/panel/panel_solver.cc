#include "worker/solvers/panel/panel_solver.h"

#include <cmath>
#include <numbers>

#include "common/analysis/airfoil.h"
#include "common/base/text.h"
#include "worker/solvers/panel/panel_method.h"
#include "worker/solvers/panel/section_spline.h"
#include "worker/solvers/polar_request.h"
#include "worker/solvers/polar_summary.h"

namespace icarus::worker {
namespace {

constexpr const char* kIdentity = "1.0+1";  // after '+': the results number
constexpr double kMaxMach = 0.7;            // Kármán–Tsien holds up to about the critical Mach number
constexpr double kRounding = 1e-11;         // a coefficient below it is the rounding of larger numbers that cancel

SolverOutcome InvalidInput(const std::string& message) {
  SolverOutcome outcome;
  outcome.error = {TaskErrorKind::kInvalidInput, message, std::nullopt, std::nullopt};
  return outcome;
}

Result<AirfoilPoints> Panels(const Target& target, int panels) {
  if (!target.content.empty()) {
    ICARUS_ASSIGN(const AirfoilPoints points, DecodeCoordinates(target.content));
    return Repanel(points, panels);
  }
  ICARUS_ASSIGN(const Target named, ParseAirfoilName(target.name));
  return NacaPoints(named.name, panels);
}

Value Coefficient(double value) { return Cell(std::abs(value) < kRounding ? 0.0 : RoundResult(value)); }

void AddAngle(ResultBody& body, const PanelMethod& method, double aoa, double mach) {
  const PanelForces forces = method.Forces(aoa * std::numbers::pi / 180, mach);
  if (!forces.physical) {
    body.missing.push_back(MissingAngle(aoa,
                                        "the compressibility correction (Kármán–Tsien) ends below the suction peak "
                                        "here; lower mach or the angle"));
    return;
  }
  body.rows.push_back({Value(aoa), Coefficient(forces.cl), Value(), Value(), Coefficient(forces.cm), Value(), Value()});
}

SolverOutcome Solve(const PolarRequest& request, const PanelMethod& method, ProgressSink& progress) {
  SolverOutcome outcome;
  ResultBody& body = outcome.body;
  body.columns = PolarColumns();
  double done = 0;
  for (const double aoa : request.aoa) {
    AddAngle(body, method, aoa, request.mach);
    done += 1;
    progress.OnProgress(done / static_cast<double>(request.aoa.size()), "aoa " + FormatNumber(aoa));
  }
  body.summary = SummarisePolar(body.rows);
  body.warnings.push_back("panel is inviscid: it gives cl and cm without a boundary layer, no drag and no stall");
  if (body.rows.empty()) {
    outcome.error = {TaskErrorKind::kNoConvergence, "no angle has a result: " + body.missing.front().reason,
                     std::nullopt, std::nullopt};
  }
  return outcome;
}

}  // namespace

SolverInfo ProbePanel() { return {kPanelSolver, {"airfoil_polar"}, kIdentity, "built in", ""}; }

SolverOutcome RunPanel(const SolverInput& input, ProgressSink& progress) {
  const auto request = ReadPolarRequest(input.params);
  if (!request) return InvalidInput(request.error().message);
  if (request->mach > kMaxMach) {
    return InvalidInput("mach " + FormatNumber(request->mach) +
                        " is above 0.7, where panel's compressibility correction " +
                        "ends; use --solver xfoil or a lower mach");
  }
  const auto points = Panels(input.target, request->panels);
  if (!points) return InvalidInput(points.error().message);
  const auto method = PanelMethod::Create(*points);
  if (!method) return InvalidInput(method.error().message);
  return Solve(*request, *method, progress);
}

}  // namespace icarus::worker
