#include "worker/solvers/panel/panel_solver.h"

#include <chrono>
#include <cmath>
#include <numbers>

#include "common/analysis/airfoil.h"
#include "common/base/text.h"
#include "worker/solvers/panel/panel_method.h"
#include "worker/solvers/panel/point_table.h"
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

// The points of one section at one Mach number: those that earlier runs have kept, and the others computed.
class Points {
 public:
  Points(const SolverInput& input, const PolarRequest& request, const AirfoilPoints& section)
      : values_(input.values),
        key_(PointTable::KeyOf(input.target, request.panels, request.mach)),
        section_(section),
        mach_(request.mach) {
    if (values_ == nullptr) return;
    const auto kept = values_->Get({key_});
    if (kept[0]) table_ = PointTable::Decode(*kept[0]).value_or(PointTable());
  }

  // Nothing: there is no physical solution at this angle (degrees).
  Result<std::optional<PanelPoint>> At(double aoa) {
    if (const PanelPoint* kept = table_.Find(aoa)) return std::optional<PanelPoint>(*kept);
    if (!method_) {
      ICARUS_ASSIGN(method_, PanelMethod::Create(section_));
    }
    const PanelForces forces = method_->Forces(aoa * std::numbers::pi / 180, mach_);
    if (!forces.physical) return std::optional<PanelPoint>();
    const PanelPoint point{forces.cl, forces.cm};
    is_new_ = table_.Add(aoa, point) || is_new_;
    return std::optional<PanelPoint>(point);
  }

  void Keep(double compute_s) {
    if (values_ != nullptr && is_new_) values_->Put(key_, table_.Encode(), compute_s);
  }

 private:
  IntermediateValues* values_;
  const std::string key_;
  const AirfoilPoints& section_;
  const double mach_;
  PointTable table_;
  std::optional<PanelMethod> method_;  // made when it is needed
  bool is_new_ = false;
};

Status AddAngle(ResultBody& body, Points& points, double aoa) {
  ICARUS_ASSIGN(const std::optional<PanelPoint> point, points.At(aoa));
  if (point) {
    body.rows.push_back(
        {Value(aoa), Coefficient(point->cl), Value(), Value(), Coefficient(point->cm), Value(), Value()});
  } else {
    body.missing.push_back(MissingAngle(aoa,
                                        "the compressibility correction (Kármán–Tsien) ends below the suction peak "
                                        "here; lower mach or the angle"));
  }
  return {};
}

SolverOutcome Solve(const PolarRequest& request, Points& points, ProgressSink& progress) {
  const auto began = std::chrono::steady_clock::now();
  SolverOutcome outcome;
  ResultBody& body = outcome.body;
  body.columns = PolarColumns();
  double done = 0;
  for (const double aoa : request.aoa) {
    if (const Status added = AddAngle(body, points, aoa); !added) return InvalidInput(added.error().message);
    done += 1;
    progress.OnProgress(done / static_cast<double>(request.aoa.size()), "aoa " + FormatNumber(aoa));
  }
  points.Keep(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
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
  const auto section = Panels(input.target, request->panels);
  if (!section) return InvalidInput(section.error().message);
  Points points(input, *request, *section);
  return Solve(*request, points, progress);
}

}  // namespace icarus::worker
