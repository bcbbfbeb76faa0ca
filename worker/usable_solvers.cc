#include "worker/usable_solvers.h"

#include "common/base/logging.h"
#include "worker/core/noop.h"
#include "worker/solvers/solver.h"

namespace icarus::worker {
namespace {

// What every worker can do without a program: raise the number when results may change.
constexpr const char* kBuiltInIdentity = "1.0+1";
constexpr const char* kCommandSolver = "command";

}  // namespace

UsableSolvers FindSolvers() {
  UsableSolvers solvers;
  solvers.usable[std::string(kNoopName)] = kBuiltInIdentity;
  solvers.usable[kCommandSolver] = kBuiltInIdentity;
  for (const SolverInfo& solver : ProbeSolvers()) {
    if (solver.identity.empty()) {
      solvers.unusable[solver.name] = solver.detail;
      LogWarning("solver not usable here",
                 {{"solver", solver.name}, {"why", solver.detail}, {"remedy", solver.remedy}});
    } else {
      solvers.usable[solver.name] = solver.identity;
    }
  }
  return solvers;
}

}  // namespace icarus::worker
