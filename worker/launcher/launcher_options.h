// What the launcher and the processes it forks are told at the start. Lives in memory alone: all of them are forks.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/model/limits.h"
#include "worker/solvers/solver.h"

namespace icarus::worker {

using SolverFunction = std::function<SolverOutcome(const std::string& solver, const SolverInput&, ProgressSink&)>;

struct LauncherOptions {
  SolverFunction run_solver = RunSolver;  // called in a host process; must not need threads of the worker
  Milliseconds idle_limit{60'000};        // a guardian (and its host) without work for so long ends
  Milliseconds memory_sample{250};        // between two looks at the memory of an attempt that has a limit
  Milliseconds leftover_grace{100};       // for descendants that outlive a command's own process, before SIGKILL
  std::size_t max_output_bytes = limits::kMaxOutputBytes;  // kept of stdout, and of stderr
};

}  // namespace icarus::worker
