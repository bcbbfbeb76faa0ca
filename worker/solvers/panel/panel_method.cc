#include "worker/solvers/panel/panel_method.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "common/base/check.h"

namespace icarus::worker {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kSharpGap = 1e-4;  // of the contour's length: a narrower trailing edge counts as closed
constexpr double kHeatRatio = 1.4;

// Stream function of one panel at a point, as integrals over the panel.
struct Influence {
  double sum = 0;         // Drela's psi+ : of (vorticity at the start + at the end) / 4 pi
  double difference = 0;  // Drela's psi- : of (vorticity at the end - at the start) / 4 pi
  double source = 0;      // of source strength / 2 pi; but for a constant; its branch cut lies behind the panel
};

struct Panel {
  double x1, y1, x2, y2;
};

double LogOfRadius(double radius_squared) { return radius_squared > 0 ? 0.5 * std::log(radius_squared) : 0; }

// Drela 1989, equations 5 to 9. `along1` and `along2` run along the panel from its ends, `normal` from its line.
Influence InfluenceAt(double x, double y, const Panel& panel) {
  const double dx = panel.x2 - panel.x1;
  const double dy = panel.y2 - panel.y1;
  const double length = std::hypot(dx, dy);
  const double tx = dx / length;
  const double ty = dy / length;
  const double along1 = (x - panel.x1) * tx + (y - panel.y1) * ty;
  const double along2 = along1 - length;
  const double normal = (y - panel.y1) * tx - (x - panel.x1) * ty;
  const double r1 = along1 * along1 + normal * normal;
  const double r2 = along2 * along2 + normal * normal;
  const double log1 = LogOfRadius(r1);
  const double log2 = LogOfRadius(r2);
  // The angle that the panel subtends, signed like `normal`; free of a branch cut beside the panel.
  const double subtended = std::atan2(normal * length, along1 * along2 + normal * normal);
  Influence at;
  at.sum = along1 * log1 - along2 * log2 - length + normal * subtended;
  at.difference = ((along1 + along2) * at.sum + r2 * log2 - r1 * log1 + 0.5 * (r1 - r2)) / length;
  // The polar angle is a quarter turn less the angle from the normal; the constant only shifts the stream function.
  at.source = along2 * std::atan2(along2, normal) - along1 * std::atan2(along1, normal) + normal * (log1 - log2);
  return at;
}

// The panel that closes a blunt trailing edge: strengths per (first - last) node's vorticity (Drela 1989, equation 10).
struct EdgePanel {
  bool sharp = true;
  double vorticity = 0;
  double source = 0;
};

EdgePanel MakeEdgePanel(const VectorXd& x, const VectorXd& y, double contour_length) {
  const Index last = x.size() - 1;
  const Eigen::Vector2d gap(x[0] - x[last], y[0] - y[last]);
  if (gap.norm() < kSharpGap * contour_length) return {};
  const Eigen::Vector2d above = Eigen::Vector2d(x[0] - x[1], y[0] - y[1]).normalized();
  const Eigen::Vector2d below = Eigen::Vector2d(x[last] - x[last - 1], y[last] - y[last - 1]).normalized();
  const Eigen::Vector2d aft = (above + below).normalized();
  const Eigen::Vector2d across = gap.normalized();
  return {false, -0.5 * aft.dot(across), 0.5 * (aft.x() * across.y() - aft.y() * across.x())};
}

struct System {
  MatrixXd matrix;  // unknowns: vorticity at the nodes, then the stream function on the contour
  MatrixXd right;   // columns: onset flow at 0 and at 90 degrees
};

void FillRow(System& system, Index i, const VectorXd& x, const VectorXd& y, const EdgePanel& edge) {
  const Index n = x.size();
  constexpr double k = 0.25 / std::numbers::pi;
  for (Index j = 0; j + 1 < n; ++j) {
    const Influence at = InfluenceAt(x[i], y[i], {x[j], y[j], x[j + 1], y[j + 1]});
    system.matrix(i, j) += k * (at.sum - at.difference);
    system.matrix(i, j + 1) += k * (at.sum + at.difference);
  }
  if (!edge.sharp) {
    const Influence at = InfluenceAt(x[i], y[i], {x[n - 1], y[n - 1], x[0], y[0]});
    const double strength = 2 * k * (at.sum * edge.vorticity + at.source * edge.source);
    system.matrix(i, 0) += strength;
    system.matrix(i, n - 1) -= strength;
  }
  system.matrix(i, n) = -1;
  system.right(i, 0) = -y[i];
  system.right(i, 1) = x[i];
}

System Assemble(const VectorXd& x, const VectorXd& y, const EdgePanel& edge) {
  const Index n = x.size();
  System system{MatrixXd::Zero(n + 1, n + 1), MatrixXd::Zero(n + 1, 2)};
  for (Index i = 0; i < n; ++i) FillRow(system, i, x, y, edge);
  system.matrix(n, 0) = 1;  // Kutta: no flow around the trailing edge
  system.matrix(n, n - 1) = 1;
  if (edge.sharp) {
    // The first and last node coincide, so their equations do too; the mean vorticity is extrapolated instead.
    system.matrix.row(n - 1).setZero();
    system.right.row(n - 1).setZero();
    const double weights[3] = {1, -2, 1};
    for (Index k = 0; k < 3; ++k) {
      system.matrix(n - 1, k) += weights[k];
      system.matrix(n - 1, n - 1 - k) -= weights[k];
    }
  }
  return system;
}

// Pressure coefficient from speed, after Kármán and Tsien.
class PressureLaw {
 public:
  explicit PressureLaw(double mach)
      : beta_(std::sqrt(1 - mach * mach)),
        factor_(0.5 * mach * mach / (1 + beta_)),
        vacuum_(mach > 0 ? -2 / (kHeatRatio * mach * mach) : -std::numeric_limits<double>::infinity()) {}

  double Cp(double speed) const {
    const double cp = 1 - speed * speed;
    return cp / (beta_ + factor_ * cp);
  }
  bool IsPhysical(double speed) const { return beta_ + factor_ * (1 - speed * speed) > 0 && Cp(speed) > vacuum_; }

 private:
  double beta_;
  double factor_;
  double vacuum_;
};

}  // namespace

Result<PanelMethod> PanelMethod::Create(const AirfoilPoints& points) {
  const auto n = static_cast<Index>(points.size());
  ICARUS_CHECK(n >= 6 && points.y.size() == points.x.size());
  PanelMethod method;
  method.x_ = Eigen::Map<const VectorXd>(points.x.data(), n);
  method.y_ = Eigen::Map<const VectorXd>(points.y.data(), n);
  double length = 0;
  for (Index i = 1; i < n; ++i) {
    length += std::hypot(method.x_[i] - method.x_[i - 1], method.y_[i] - method.y_[i - 1]);
  }
  const EdgePanel edge = MakeEdgePanel(method.x_, method.y_, length);
  method.edge_vorticity_ = edge.vorticity;
  const System system = Assemble(method.x_, method.y_, edge);
  const MatrixXd solution = system.matrix.partialPivLu().solve(system.right);
  // Speeds of hundreds are those of a matrix that is singular but for rounding.
  if (!solution.allFinite() || solution.topRows(n).cwiseAbs().maxCoeff() > 1e4) {
    return UsageError("the flow about this section has no solution; check its coordinates", "target");
  }
  method.speed_0_ = solution.col(0).head(n);
  method.speed_90_ = solution.col(1).head(n);
  return method;
}

VectorXd PanelMethod::SurfaceSpeed(double alpha) const {
  return speed_0_ * std::cos(alpha) + speed_90_ * std::sin(alpha);
}

PanelForces PanelMethod::Forces(double alpha, double mach) const {
  const VectorXd speed = SurfaceSpeed(alpha);
  const PressureLaw law(mach);
  const double cosine = std::cos(alpha);
  const double sine = std::sin(alpha);
  const Index n = x_.size();
  PanelForces forces;
  forces.cp_min = law.Cp(speed[0]);
  for (Index i = 0; i < n; ++i) {
    const Index j = (i + 1) % n;  // the last panel closes the trailing edge
    const double step_x = x_[j] - x_[i];
    const double step_y = y_[j] - y_[i];
    const double dx = step_x * cosine + step_y * sine;  // wind axes
    const double dy = step_y * cosine - step_x * sine;
    const double arm_x = 0.5 * (x_[i] + x_[j]) - 0.25;
    const double arm_y = 0.5 * (y_[i] + y_[j]);
    const double ax = arm_x * cosine + arm_y * sine;
    const double ay = arm_y * cosine - arm_x * sine;
    const double mean = 0.5 * (law.Cp(speed[i]) + law.Cp(speed[j]));
    const double change = law.Cp(speed[j]) - law.Cp(speed[i]);
    forces.cl += dx * mean;
    forces.cd_pressure -= dy * mean;
    // The pressure varies linearly over a panel: its own moment is change * d / 12.
    forces.cm -= dx * (mean * ax + change * dx / 12) + dy * (mean * ay + change * dy / 12);
    const double vorticity = j == 0 ? edge_vorticity_ * (speed[0] - speed[n - 1]) : 0.5 * (speed[i] + speed[j]);
    forces.cl_circulation += 2 * vorticity * std::hypot(step_x, step_y);
    forces.cp_min = std::min(forces.cp_min, law.Cp(speed[i]));
    forces.physical = forces.physical && law.IsPhysical(speed[i]);
  }
  return forces;
}

}  // namespace icarus::worker
