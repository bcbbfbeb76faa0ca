// The built-in `panel` kernel: lift and moment of a section in inviscid flow.
#pragma once

#include "worker/solvers/solver.h"

namespace icarus::worker {

inline constexpr const char* kPanelSolver = "panel";

// Always usable. The identity is "1.0+N": N rises when results may change.
SolverInfo ProbePanel();

// airfoil_polar. Drag and transition are null: the flow has no boundary layer. Takes milliseconds.
SolverOutcome RunPanel(const SolverInput& input, ProgressSink& progress);

}  // namespace icarus::worker
