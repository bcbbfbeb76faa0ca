// A solver as the worker sees it: built-in kernels and adapters of programs, run in a child process of their own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/model/result_body.h"
#include "common/model/sweep.h"
#include "worker/solvers/intermediate_values.h"

namespace icarus::worker {

struct SolverInput {
  std::string analysis;  // "airfoil_polar"
  ValueMap params;       // canonical, every parameter of the analysis present, in the units of its manifest
  Target target;
  std::string scratch_dir;               // absolute, private to this attempt, writable, empty; removed by the caller
  IntermediateValues* values = nullptr;  // what is kept between runs; null: nothing is. Outlives the run
  std::string identity;                  // that its result will be told to be of; empty: any
};

// Receives progress while Run is under way, from the thread that called it.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void OnProgress(double fraction, std::string_view message) = 0;
};

// Success when `error.kind` is kNone; a failed attempt may still carry a body (solver output, partial rows).
struct SolverOutcome {
  ResultBody body;
  TaskError error;
  bool cacheable = true;  // false: a gap in it is a watchdog's doing, and another run may fill it
  bool changed = false;   // the solver is not what SolverInput::identity says, before or after: nothing in it counts
};

// Identity `version+build` (analyses.md): a program's version and the first 8 hex digits of its content hash, or for a
// built-in kernel a results number that rises when its numbers may change.
struct SolverInfo {
  std::string name;                   // "xfoil"
  std::vector<std::string> analyses;  // that it carries out
  std::string identity;               // "6.99+1a2b3c4d"; empty when it is not usable here
  std::string detail;                 // what was found, or why it cannot be used
  std::string remedy;                 // what to do then; may be empty
};

// Looks for every solver on this machine; a program's own self-test is run (tenths of a second). Never fails: what
// cannot be used comes with an empty identity and the reason.
std::vector<SolverInfo> ProbeSolvers();

// Runs one analysis to its end in the calling process: blocks, may start child processes (in the caller's process
// group), writes only below scratch_dir. REQUIRES a solver that ProbeSolvers reported as usable.
SolverOutcome RunSolver(const std::string& solver, const SolverInput& input, ProgressSink& progress);

}  // namespace icarus::worker
