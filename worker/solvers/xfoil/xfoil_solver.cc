#include "worker/solvers/xfoil/xfoil_solver.h"

#include <algorithm>

#include "common/analysis/airfoil.h"
#include "common/base/text.h"
#include "common/model/content_hash.h"
#include "worker/solvers/polar_request.h"
#include "worker/solvers/polar_summary.h"

namespace icarus::worker {
namespace {

constexpr int kExactPanels = 320;              // points of the exact NACA definition that xfoil panels anew
constexpr std::size_t kMaxXfoilPoints = 1480;  // its buffer airfoil (IBX, XFOIL.INC)
constexpr std::size_t kInviscidBatch = 500;    // a polar holds 800 points (NAX, XFOIL.INC)

SolverOutcome Failed(TaskErrorKind kind, const std::string& message) {
  SolverOutcome outcome;
  outcome.body.columns = PolarColumns();
  outcome.error = {kind, message, std::nullopt, std::nullopt};
  return outcome;
}

std::string PointsText(const AirfoilPoints& points) {
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += FormatNumber(points.x[i]) + " " + FormatNumber(points.y[i]) + "\n";
  }
  return text;
}

Status SetSection(const Target& target, bool exact, XfoilSetup& setup) {
  if (!target.content.empty()) {
    ICARUS_ASSIGN(const AirfoilPoints points, DecodeCoordinates(target.content));
    if (points.size() > kMaxXfoilPoints) {
      return UsageError("xfoil reads at most " + std::to_string(kMaxXfoilPoints) + " points, " + target.name + " has " +
                            std::to_string(points.size()) + "; thin them out or use --solver panel",
                        "target");
    }
    setup.coordinates = PointsText(points);
    return {};
  }
  ICARUS_ASSIGN(const Target named, ParseAirfoilName(target.name));
  if (exact) {
    setup.coordinates = PointsText(NacaPoints(named.name, kExactPanels));
  } else {
    setup.naca = named.name.substr(4);
  }
  return {};
}

Result<XfoilSetup> MakeSetup(const PolarRequest& request, const Target& target) {
  XfoilSetup setup;
  ICARUS_TRY(SetSection(target, request.exact_geometry, setup));
  setup.reynolds = request.reynolds;
  setup.mach = request.mach;
  setup.ncrit = request.ncrit;
  setup.xtr_top = request.xtr_top;
  setup.xtr_bottom = request.xtr_bottom;
  setup.panels = request.panels;
  setup.iter = request.iter;
  return setup;
}

// Without a boundary layer an angle owes nothing to the one before it: all in one process.
MarchResult RunInviscid(const std::vector<double>& aoa, PolarRunner& runner, ProgressSink& progress) {
  MarchResult result;
  for (std::size_t begin = 0; begin < aoa.size() && !result.broken; begin += kInviscidBatch) {
    const std::size_t count = std::min(kInviscidBatch, aoa.size() - begin);
    std::vector<std::string> commands;
    for (std::size_t i = 0; i < count; ++i) commands.push_back("ALFA " + FormatNumber(aoa[begin + i]));
    const RunReport report = runner.Run(commands, count, [&](std::size_t points) {
      progress.OnProgress(static_cast<double>(begin + points) / static_cast<double>(aoa.size()), "inviscid angles");
    });
    if (report.end == RunReport::End::kBroken) result.broken = report.reason;
    if (report.end == RunReport::End::kInterrupted) result.watchdog = true;
    for (std::size_t i = 0; i < count; ++i) {
      const bool has_row = i < report.points.size() && report.points[i];
      if (has_row) result.rows[aoa[begin + i]] = *report.points[i];
      if (!has_row && !result.broken) result.missing[aoa[begin + i]] = "the solver had to be stopped: " + report.reason;
    }
  }
  return result;
}

std::vector<Value> MakeRow(double aoa, const PolarRow& row, bool viscous) {
  const auto if_viscous = [viscous](double value) { return viscous ? Cell(value) : Value(); };
  return {Value(aoa),
          Cell(row.cl),
          if_viscous(row.cd),
          if_viscous(row.cdp),
          Cell(row.cm),
          if_viscous(row.xtr_top),
          if_viscous(row.xtr_bottom)};
}

std::string RescuedWarning(const std::vector<double>& angles) {
  std::string text = "converged on a second attempt only, apart from the march: aoa";
  for (const double angle : angles) text += (angle == angles.front() ? " " : ", ") + FormatNumber(angle);
  return text;
}

ResultBody MakeBody(const MarchResult& march, bool viscous, const std::string& transcript) {
  ResultBody body;
  body.columns = PolarColumns();
  for (const auto& [aoa, row] : march.rows) body.rows.push_back(MakeRow(aoa, row, viscous));
  for (const auto& [aoa, reason] : march.missing) body.missing.push_back(MissingAngle(aoa, reason));
  body.summary = SummarisePolar(body.rows);
  if (!march.rescued.empty()) body.warnings.push_back(RescuedWarning(march.rescued));
  body.stdout_file = FileRef{"stdout", HashBytes(transcript), transcript.size(), 0644, transcript};
  return body;
}

// Nothing converged: the section and flow are to blame, unless the watchdog had a part in it.
TaskError NothingConverged(const MarchResult& march) {
  const auto& [aoa, reason] = *march.missing.begin();
  const std::string detail = "(aoa " + FormatNumber(aoa) + ": " + reason + ")";
  if (march.watchdog) {
    return {TaskErrorKind::kSolverCrashed,
            "xfoil hung or wrote without end and was stopped; no angle has a result " + detail, std::nullopt,
            std::nullopt};
  }
  return {TaskErrorKind::kNoConvergence,
          "none of the " + std::to_string(march.missing.size()) + " angles converged " + detail +
              "; try other angles, a finer march or more iterations",
          std::nullopt, std::nullopt};
}

}  // namespace

SolverOutcome RunXfoil(const SolverInput& input, ProgressSink& progress, const XfoilLimits& limits) {
  const auto request = ReadPolarRequest(input.params);
  if (!request) return Failed(TaskErrorKind::kInvalidInput, request.error().message);
  const auto setup = MakeSetup(*request, input.target);
  if (!setup) return Failed(TaskErrorKind::kInvalidInput, setup.error().message);
  const auto program = FindXfoil();
  if (!program) return Failed(TaskErrorKind::kInternal, program.error().message);

  XfoilSession session(*program, *setup, limits, input.scratch_dir);
  const MarchResult march =
      request->viscous
          ? RunMarch(request->aoa, request->march, session,
                     [&](double fraction, const std::string& message) { progress.OnProgress(fraction, message); })
          : RunInviscid(request->aoa, session, progress);
  SolverOutcome outcome;
  outcome.body = MakeBody(march, request->viscous, session.Transcript());
  outcome.cacheable = !(march.watchdog && !march.missing.empty());
  if (march.broken) {
    outcome.error = session.error();
  } else if (march.rows.empty()) {
    outcome.error = NothingConverged(march);
  }
  return outcome;
}

}  // namespace icarus::worker
