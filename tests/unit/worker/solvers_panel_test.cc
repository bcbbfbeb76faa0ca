#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "common/analysis/airfoil.h"
#include "common/base/text.h"
#include "worker/solvers/panel/panel_method.h"
#include "worker/solvers/panel/panel_solver.h"
#include "worker/solvers/panel/point_table.h"
#include "worker/solvers/panel/section_spline.h"

namespace icarus::worker {
namespace {

using Complex = std::complex<double>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kPi = std::numbers::pi;
constexpr double Radians(double degrees) { return degrees * kPi / 180; }

// A Kármán–Trefftz section (Joukowski's for n = 2): circle about `centre` through 1, mapped and scaled to unit chord.
struct ExactSection {
  AirfoilPoints points;
  double cl_factor = 0;  // cl = cl_factor * sin(alpha + beta)
  double beta = 0;

  double Cl(double alpha) const { return cl_factor * std::sin(alpha + beta); }
};

std::vector<Complex> MapCircle(double n, Complex centre, int panels) {
  const double radius = std::abs(1.0 - centre);
  const double start = std::arg(1.0 - centre);
  std::vector<Complex> mapped = {Complex(n, 0)};
  double branch = 0;
  double previous = kPi / 2;
  for (int i = 1; i < panels; ++i) {
    const Complex zeta = centre + std::polar(radius, start + 2 * kPi * i / panels);
    const Complex ratio = (zeta - 1.0) / (zeta + 1.0);
    double angle = std::arg(ratio) + branch;
    while (angle - previous > kPi) {
      angle -= 2 * kPi;
      branch -= 2 * kPi;
    }
    while (angle - previous < -kPi) {
      angle += 2 * kPi;
      branch += 2 * kPi;
    }
    previous = angle;
    const Complex power = std::polar(std::pow(std::abs(ratio), n), n * angle);
    mapped.push_back(n * (1.0 + power) / (1.0 - power));
  }
  mapped.push_back(Complex(n, 0));
  return mapped;
}

ExactSection MakeSection(double n, Complex centre, int panels) {
  double low = 1e9, high = -1e9;
  for (const Complex& z : MapCircle(n, centre, 20000)) {
    low = std::min(low, z.real());
    high = std::max(high, z.real());
  }
  const double chord = high - low;
  ExactSection section;
  for (const Complex& z : MapCircle(n, centre, panels)) {
    section.points.x.push_back((z.real() - low) / chord);
    section.points.y.push_back(z.imag() / chord);
  }
  const double radius = std::abs(1.0 - centre);
  section.beta = std::asin(centre.imag() / radius);
  section.cl_factor = 8 * kPi * radius / chord;
  return section;
}

PanelForces ForcesOf(const AirfoilPoints& points, double degrees, double mach = 0) {
  const auto method = PanelMethod::Create(points);
  EXPECT_TRUE(method.has_value());
  return method->Forces(Radians(degrees), mach);
}

struct ExactCase {
  double n;
  Complex centre;
  double cl_0, cl_5;  // exact, at 0 and 5 degrees
};

class ExactFlowTest : public ::testing::TestWithParam<ExactCase> {};

TEST_P(ExactFlowTest, LiftIsThatOfTheConformalMap) {
  const ExactCase& exact = GetParam();
  const ExactSection section = MakeSection(exact.n, exact.centre, 160);
  // The test's own mapping against values computed independently.
  EXPECT_NEAR(section.Cl(0), exact.cl_0, 2e-6);
  EXPECT_NEAR(section.Cl(Radians(5)), exact.cl_5, 2e-6);
  for (const double degrees : {-3.0, 0.0, 5.0, 10.0}) {
    const PanelForces forces = ForcesOf(section.points, degrees);
    EXPECT_NEAR(forces.cl, section.Cl(Radians(degrees)), 4e-4) << degrees;
    EXPECT_NEAR(forces.cl, forces.cl_circulation, 5e-4) << degrees;
    EXPECT_NEAR(forces.cd_pressure, 0, 1e-3) << degrees;
  }
  const PanelForces at_5 = ForcesOf(section.points, 5);
  EXPECT_NEAR(at_5.cl, exact.cl_5, 3e-4);
  EXPECT_NEAR(at_5.cl, at_5.cl_circulation, 3e-4);
  EXPECT_NEAR(at_5.cd_pressure, 0, 5e-4);
}

TEST_P(ExactFlowTest, ConvergesWithTheSquareOfThePanels) {
  const ExactCase& exact = GetParam();
  double error[3], drag[3];
  int panels = 80;
  for (int i = 0; i < 3; ++i, panels *= 2) {
    const ExactSection section = MakeSection(exact.n, exact.centre, panels);
    const PanelForces forces = ForcesOf(section.points, 5);
    error[i] = std::abs(forces.cl - section.Cl(Radians(5)));
    drag[i] = std::abs(forces.cd_pressure);
  }
  EXPECT_GE(std::log2(error[0] / error[1]), 1.9);
  EXPECT_GE(std::log2(error[1] / error[2]), 1.9);
  EXPECT_GE(std::log2(drag[1] / drag[2]), 1.8);
}

INSTANTIATE_TEST_SUITE_P(Sections, ExactFlowTest,
                         ::testing::Values(ExactCase{2, {-0.08, 0}, 0, 0.588180},
                                           ExactCase{2, {-0.10, 0.05}, 0.311558, 0.907761},
                                           ExactCase{1.94, {-0.08, 0}, 0, 0.605805},
                                           ExactCase{1.94, {-0.10, 0.05}, 0.320778, 0.934627}));

TEST(PanelMethodTest, SurfaceSpeedIsThatOfTheConformalMap) {
  // Joukowski, symmetric: dz/dzeta = 1 - 1/zeta^2, circle speed 2 sin(theta - alpha) + 2 sin(alpha).
  const Complex centre(-0.08, 0);
  const int panels = 320;
  const auto method = PanelMethod::Create(MakeSection(2, centre, panels).points);
  ASSERT_TRUE(method.has_value());
  const double alpha = Radians(5);
  const Eigen::VectorXd speed = method->SurfaceSpeed(alpha);
  for (int i = 20; i <= 300; i += 10) {
    const double theta = 2 * kPi * i / panels;
    const Complex zeta = centre + std::polar(1.08, theta);
    const double exact = 2 * (std::sin(theta - alpha) + std::sin(alpha)) / std::abs(1.0 - 1.0 / (zeta * zeta));
    EXPECT_NEAR(speed[i], exact, 3e-3) << i;
  }
}

struct NacaCase {
  const char* name;
  double aoa, cl, cm, mach;
};

// XFOIL 6.99, inviscid, 360 nodes on the same exact geometry, where its own panelling costs it less than 0.1 %.
TEST(PanelMethodTest, AgreesWithXfoilOnNacaSections) {
  const NacaCase cases[] = {{"naca2412", 0, 0.2607, -0.0558, 0},   {"naca2412", 4, 0.7431, -0.0617, 0},
                            {"naca2412", 8, 1.2220, -0.0677, 0},   {"naca4412", 0, 0.5203, -0.1113, 0},
                            {"naca4412", 4, 1.0022, -0.1178, 0},   {"naca4412", 8, 1.4793, -0.1248, 0},
                            {"naca0012", 4, 0.4831, -0.0056, 0},   {"naca0012", 8, 0.9638, -0.0111, 0},
                            {"naca23012", 0, 0.1417, -0.0101, 0},  {"naca23012", 8, 1.1051, -0.0223, 0},
                            {"naca2412", 0, 0.2765, -0.0587, 0.3}, {"naca2412", 4, 0.7918, -0.0644, 0.3},
                            {"naca2412", 0, 0.3128, -0.0653, 0.5}, {"naca2412", 4, 0.9062, -0.0702, 0.5}};
  for (const NacaCase& c : cases) {
    const PanelForces forces = ForcesOf(NacaPoints(c.name, 160), c.aoa, c.mach);
    EXPECT_NEAR(forces.cl, c.cl, 0.0013 * c.cl + 1e-4) << c.name << " at " << c.aoa << " mach " << c.mach;
    EXPECT_NEAR(forces.cm, c.cm, 3e-4) << c.name << " at " << c.aoa << " mach " << c.mach;
  }
}

// NACA 0012 whose lower side is cut off behind x = 0.94: the closing panel lies oblique and carries vorticity too.
// Reference: XFOIL 6.99, inviscid, 360 nodes.
TEST(PanelMethodTest, AgreesWithXfoilOnAnObliqueTrailingEdge) {
  const AirfoilPoints whole = NacaPoints("naca0012", 240);
  AirfoilPoints cut;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i > 120 && whole.x[i] > 0.94) continue;
    cut.x.push_back(whole.x[i]);
    cut.y.push_back(whole.y[i]);
  }
  const AirfoilPoints panels = Repanel(cut, 200);
  EXPECT_NEAR(ForcesOf(panels, 0).cl, 0.1331, 1e-3);
  EXPECT_NEAR(ForcesOf(panels, 4).cl, 0.6127, 1.5e-3);
  EXPECT_NEAR(ForcesOf(panels, 4).cm, -0.0335, 1e-3);
}

TEST(PanelMethodTest, MirroredSectionsMirrorTheirForces) {
  const auto method = PanelMethod::Create(NacaPoints("naca0015", 161));
  const auto symmetric = PanelMethod::Create(NacaPoints("naca0015", 160));
  ASSERT_TRUE(method.has_value() && symmetric.has_value());
  const PanelForces up = symmetric->Forces(Radians(6), 0.4);
  const PanelForces down = symmetric->Forces(Radians(-6), 0.4);
  EXPECT_NEAR(up.cl, -down.cl, 1e-11);
  EXPECT_NEAR(up.cm, -down.cm, 1e-11);
  EXPECT_NEAR(method->Forces(Radians(6), 0.4).cl, up.cl, 2e-3) << "an odd number of panels";
}

TEST(SectionSplineTest, FindsTheNoseAndFollowsTheContour) {
  const SectionSpline spline(NacaPoints("naca0012", 200));
  const double nose = spline.LeadingEdge();
  EXPECT_NEAR(nose, spline.length() / 2, 1e-9);
  EXPECT_NEAR(spline.At(nose).x, 0, 1e-9);
  EXPECT_NEAR(spline.At(0).x, 1, 1e-15);
  for (const double end : {0.0, spline.length()})
    EXPECT_NEAR(std::hypot(spline.At(end).dx, spline.At(end).dy), 1, 1e-4);
  for (const double fraction : {0.1, 0.25, 0.4, 0.48}) {
    const auto place = spline.At(fraction * spline.length());
    const double x = place.x;
    const double y = 0.6 * (0.2969 * std::sqrt(x) + x * (-0.1260 + x * (-0.3516 + x * (0.2843 - x * 0.1015))));
    EXPECT_NEAR(place.y, y, 2e-7) << fraction;
    EXPECT_NEAR(std::hypot(place.dx, place.dy), 1, 1e-3) << fraction;
  }
}

TEST(SectionSplineTest, RepanelsWithShortPanelsAtBothEdges) {
  const AirfoilPoints panels = Repanel(NacaPoints("naca2412", 60), 120);
  ASSERT_EQ(panels.size(), 121u);
  const auto length = [&panels](std::size_t i) {
    return std::hypot(panels.x[i + 1] - panels.x[i], panels.y[i + 1] - panels.y[i]);
  };
  EXPECT_LT(length(0), 0.25 * length(30));
  EXPECT_LT(length(60), 0.25 * length(30));
  const PanelForces coarse = ForcesOf(panels, 4);
  const PanelForces exact = ForcesOf(NacaPoints("naca2412", 160), 4);
  EXPECT_NEAR(coarse.cl, exact.cl, 0.003 * exact.cl);
}

class NoProgress : public ProgressSink {
 public:
  void OnProgress(double fraction, std::string_view) override {
    EXPECT_GE(fraction, last);
    last = fraction;
  }
  double last = 0;
};

SolverInput PolarInput(const Target& target, Value aoa) {
  SolverInput input;
  input.analysis = "airfoil_polar";
  input.target = target;
  input.params = {{"aoa", std::move(aoa)},       {"reynolds", Value(1e6)}, {"mach", Value(0.0)},
                  {"ncrit", Value(9.0)},         {"xtr_top", Value(1.0)},  {"xtr_bottom", Value(1.0)},
                  {"panels", Value(160.0)},      {"iter", Value(100.0)},   {"viscous", Value(true)},
                  {"geometry", Value("solver")}, {"march", Value(0.5)}};
  return input;
}

Value Angles(std::initializer_list<double> angles) {
  Value::List list;
  for (const double angle : angles) list.push_back(Value(angle));
  return Value(list);
}

TEST(PanelSolverTest, GivesLiftAndMomentAndNoDrag) {
  NoProgress progress;
  const SolverOutcome outcome = RunPanel(PolarInput({"naca0012", ""}, Angles({-4, 0, 4})), progress);
  ASSERT_EQ(outcome.error.kind, TaskErrorKind::kNone) << outcome.error.message;
  EXPECT_THAT(outcome.body.columns, ElementsAre("aoa", "cl", "cd", "cdp", "cm", "xtr_top", "xtr_bottom"));
  ASSERT_EQ(outcome.body.rows.size(), 3u);
  const auto& row = outcome.body.rows[2];
  EXPECT_EQ(row[0], Value(4.0));
  EXPECT_NEAR(row[1].number(), 0.4829, 1e-3);
  for (const std::size_t null : {2u, 3u, 5u, 6u}) EXPECT_TRUE(row[null].is_null()) << null;
  EXPECT_EQ(outcome.body.rows[1][1], Value(0.0)) << "rounding noise is zero";
  EXPECT_EQ(outcome.body.summary.at("aoa_zero_lift"), Value(0.0));
  EXPECT_TRUE(outcome.body.summary.at("cd_min").is_null());
  ASSERT_EQ(outcome.body.warnings.size(), 1u);
  EXPECT_THAT(outcome.body.warnings[0], HasSubstr("inviscid"));
  EXPECT_EQ(progress.last, 1.0);
}

TEST(PanelSolverTest, ACoordinateFileOfASectionGivesItsPolar) {
  const AirfoilPoints points = NacaPoints("naca2412", 120);
  std::string text = "file\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += FormatNumber(points.x[i]) + " " + FormatNumber(points.y[i]) + "\n";
  }
  const auto target = ParseAirfoilCoordinates("foil.dat", text);
  ASSERT_TRUE(target.has_value());
  NoProgress progress, other;
  const SolverOutcome file = RunPanel(PolarInput(*target, Angles({0, 4})), progress);
  const SolverOutcome named = RunPanel(PolarInput({"naca2412", ""}, Angles({0, 4})), other);
  ASSERT_EQ(file.body.rows.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(file.body.rows[i][1].number(), named.body.rows[i][1].number(), 2e-3);
    EXPECT_NEAR(file.body.rows[i][4].number(), named.body.rows[i][4].number(), 5e-4);
  }
}

TEST(PanelSolverTest, ResultsHaveTenDigits) {
  NoProgress progress;
  const SolverOutcome outcome = RunPanel(PolarInput({"naca4412", ""}, Value(3.0)), progress);
  ASSERT_EQ(outcome.body.rows.size(), 1u);
  const double cl = outcome.body.rows[0][1].number();
  EXPECT_NEAR(cl * 1e10, std::round(cl * 1e10), 1e-3);
}

TEST(PanelSolverTest, RefusesAMachNumberBeyondItsCorrection) {
  NoProgress progress;
  SolverInput input = PolarInput({"naca0012", ""}, Value(0.0));
  input.params["mach"] = Value(0.71);
  const SolverOutcome outcome = RunPanel(input, progress);
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kInvalidInput);
  EXPECT_THAT(outcome.error.message, HasSubstr("0.7"));
}

TEST(PanelSolverTest, APressureBelowVacuumIsAMissingPoint) {
  NoProgress progress;
  SolverInput input = PolarInput({"naca0012", ""}, Angles({0, 25}));
  input.params["mach"] = Value(0.7);
  const SolverOutcome outcome = RunPanel(input, progress);
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kNone);
  ASSERT_EQ(outcome.body.rows.size(), 1u);
  ASSERT_EQ(outcome.body.missing.size(), 1u);
  EXPECT_EQ(outcome.body.missing[0].at.at("aoa"), Value(25.0));
}

TEST(PanelSolverTest, RefusesParametersAndTargetsThatAreNotCanonical) {
  NoProgress progress;
  SolverInput input = PolarInput({"naca0012", ""}, Value(0.0));
  input.params.erase("panels");
  EXPECT_THAT(RunPanel(input, progress).error.message, HasSubstr("panels"));
  EXPECT_EQ(RunPanel(PolarInput({"clarky", ""}, Value(0.0)), progress).error.kind, TaskErrorKind::kInvalidInput);
  EXPECT_EQ(RunPanel(PolarInput({"f.dat", "1 0\n"}, Value(0.0)), progress).error.kind, TaskErrorKind::kInvalidInput);
  EXPECT_EQ(ProbePanel().identity, "1.0+1");
}

class KeptValues : public IntermediateValues {
 public:
  std::vector<std::optional<std::string>> Get(const std::vector<std::string>& keys) override {
    std::vector<std::optional<std::string>> found;
    for (const std::string& key : keys) {
      const auto kept = values.find(key);
      found.push_back(kept == values.end() ? std::nullopt : std::optional<std::string>(kept->second));
    }
    return found;
  }
  void Put(const std::string& key, std::string value, double) override {
    ++puts;
    values[key] = std::move(value);
  }
  PointTable table() const { return *PointTable::Decode(values.begin()->second); }

  std::map<std::string, std::string> values;
  int puts = 0;
};

ResultBody PolarWith(IntermediateValues* values, Value aoa) {
  NoProgress progress;
  SolverInput input = PolarInput({"naca2412", ""}, std::move(aoa));
  input.values = values;
  return RunPanel(input, progress).body;
}

TEST(PanelSolverTest, PointsOfAnOverlappingSweepAreTakenAsTheyWere) {
  KeptValues kept;
  PolarWith(&kept, Angles({0, 1, 2, 3}));
  ASSERT_EQ(kept.values.size(), 1u);
  EXPECT_EQ(kept.table().size(), 4u);
  const Value overlapping = Angles({2, 3, 4});
  EXPECT_EQ(PolarWith(&kept, overlapping).rows, PolarWith(nullptr, overlapping).rows) << "the same digits";
  EXPECT_EQ(kept.table().size(), 5u);
  EXPECT_EQ(kept.puts, 2);
  PolarWith(&kept, Angles({0, 4}));
  EXPECT_EQ(kept.puts, 2) << "nothing new";
  // That they are taken: a value that nobody could compute comes back.
  PointTable strange;
  strange.Add(7, {123, 0});
  kept.values.begin()->second = strange.Encode();
  EXPECT_EQ(PolarWith(&kept, Angles({7})).rows[0][1], Value(123.0));
}

TEST(PanelSolverTest, WhatIsKeptButIsNoTableIsComputed) {
  KeptValues kept;
  PolarWith(&kept, Angles({0}));
  for (const std::string& damaged : {std::string("x"), std::string(24, '\xff'), std::string(48, '\0')}) {
    kept.values.begin()->second = damaged;
    EXPECT_EQ(PolarWith(&kept, Angles({0, 2})).rows, PolarWith(nullptr, Angles({0, 2})).rows);
  }
}

TEST(PanelSolverTest, AKeySaysAllThatAPointDependsOn) {
  const Target named{"naca2412", ""}, file{"naca2412", "1 0\n0 0\n1 0\n"};
  const std::string key = PointTable::KeyOf(named, 160, 0.1);
  EXPECT_EQ(key, PointTable::KeyOf(named, 160, 0.1));
  EXPECT_NE(key, PointTable::KeyOf(file, 160, 0.1));
  EXPECT_NE(key, PointTable::KeyOf({"naca2413", ""}, 160, 0.1));
  EXPECT_NE(key, PointTable::KeyOf(named, 161, 0.1));
  EXPECT_NE(key, PointTable::KeyOf(named, 160, std::nextafter(0.1, 1)));
}

}  // namespace
}  // namespace icarus::worker
