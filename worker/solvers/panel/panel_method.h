// Incompressible potential flow about a section: linear-vorticity stream-function panel method.
// M. Drela, "XFOIL: An Analysis and Design System for Low Reynolds Number Airfoils", Springer Lecture Notes in
// Engineering 54 (1989), section 2: vorticity linear along each panel, stream function constant on the nodes, Kutta
// condition at the trailing edge; a blunt one is closed by a panel of constant source and vorticity.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "common/analysis/airfoil.h"
#include "common/base/result.h"

namespace icarus::worker {

struct PanelForces {
  double cl = 0;              // from surface pressures
  double cl_circulation = 0;  // 2 Γ / (V c), incompressible
  double cd_pressure = 0;     // zero but for discretisation: says how good the panelling is
  double cm = 0;              // about x/c = 0.25, y = 0; nose-up positive
  double cp_min = 0;
  bool physical = true;  // false: a pressure below vacuum, beyond what the compressibility correction can say
};

// The flow about one section for every angle of attack. Immutable once made; the reference chord is 1.
class PanelMethod {
 public:
  // Points in the order of AirfoilPoints, which become the panels' ends. An error (usage, field "target") when the
  // equations have no solution, for example for a section that closes on itself.
  static Result<PanelMethod> Create(const AirfoilPoints& points);

  // Coefficients at `alpha` (radians), pressures corrected for `mach` after Kármán and Tsien. REQUIRES 0 <= mach < 1.
  PanelForces Forces(double alpha, double mach) const;

  // Tangential surface speed over V at the nodes, positive from leading to trailing edge above. Radians.
  Eigen::VectorXd SurfaceSpeed(double alpha) const;

 private:
  PanelMethod() = default;

  Eigen::VectorXd x_, y_;
  Eigen::VectorXd speed_0_, speed_90_;  // solutions for alpha = 0 and 90 degrees
  double edge_vorticity_ = 0;           // of the closing panel, per (first - last) node's vorticity
};

}  // namespace icarus::worker
