// The `xfoil` solver: Mark Drela's XFOIL as an external program, driven so that an angle has one value (march.h).
#pragma once

#include "worker/solvers/solver.h"
#include "worker/solvers/xfoil/xfoil_session.h"

namespace icarus::worker {

inline constexpr const char* kXfoilSolver = "xfoil";

// The program: the environment variable ICARUS_XFOIL, else `xfoil` on PATH. The shim: ICARUS_NOFPE, else
// icarus-nofpe.so in ../lib beside the directory of the running program, else in that directory. An error says what is
// missing; a missing shim is not one.
Result<XfoilProgram> FindXfoil();

// Finds it and computes one point that is known. The identity is "<version of the banner>+<8 hex digits of its hash>".
SolverInfo ProbeXfoil();
// Whether the program that would run now is of that identity. One thread.
bool IsXfoilStill(const std::string& identity);

// airfoil_polar. The limits are parameters for tests alone.
SolverOutcome RunXfoil(const SolverInput& input, ProgressSink& progress, const XfoilLimits& limits = {});

}  // namespace icarus::worker
