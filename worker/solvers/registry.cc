// The solvers that this worker is built with, as one table.
#include <array>

#include "common/base/check.h"
#include "worker/solvers/panel/panel_solver.h"
#include "worker/solvers/solver.h"
#include "worker/solvers/xfoil/xfoil_solver.h"

namespace icarus::worker {
namespace {

struct Solver {
  const char* name;
  SolverInfo (*probe)();
  SolverOutcome (*run)(const SolverInput& input, ProgressSink& progress);
};

constexpr std::array<Solver, 2> kSolvers = {{
    {kXfoilSolver, ProbeXfoil,
     [](const SolverInput& input, ProgressSink& progress) { return RunXfoil(input, progress); }},
    {kPanelSolver, ProbePanel, RunPanel},
}};

}  // namespace

std::vector<SolverInfo> ProbeSolvers() {
  std::vector<SolverInfo> found;
  for (const Solver& solver : kSolvers) found.push_back(solver.probe());
  return found;
}

SolverOutcome RunSolver(const std::string& solver, const SolverInput& input, ProgressSink& progress) {
  for (const Solver& known : kSolvers) {
    if (solver == known.name) return known.run(input, progress);
  }
  CheckFailed(("a solver of this worker: " + solver).c_str(), __FILE__, __LINE__);
}

}  // namespace icarus::worker
