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
  bool (*is_still)(const std::string& identity);  // null: it is part of this program
};

constexpr std::array<Solver, 2> kSolvers = {{
    {kXfoilSolver, ProbeXfoil,
     [](const SolverInput& input, ProgressSink& progress) { return RunXfoil(input, progress); }, IsXfoilStill},
    {kPanelSolver, ProbePanel, RunPanel, nullptr},
}};

}  // namespace

std::vector<SolverInfo> ProbeSolvers() {
  std::vector<SolverInfo> found;
  found.reserve(kSolvers.size());
  for (const Solver& solver : kSolvers) found.push_back(solver.probe());
  return found;
}

SolverOutcome RunSolver(const std::string& solver, const SolverInput& input, ProgressSink& progress) {
  for (const Solver& known : kSolvers) {
    if (solver != known.name) continue;
    const auto changed = [&] {
      return known.is_still != nullptr && !input.identity.empty() && !known.is_still(input.identity);
    };
    SolverOutcome outcome;
    if (!changed()) outcome = known.run(input, progress);
    outcome.changed = changed();  // it may have been replaced between two of its processes
    return outcome;
  }
  CheckFailed(("a solver of this worker: " + solver).c_str(), __FILE__, __LINE__);
}

}  // namespace icarus::worker
