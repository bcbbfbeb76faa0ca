#include "worker/solvers/xfoil/march.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kNone = 1000;  // no angle

// A solver with a memory: every value depends on all angles that its process computed before, as XFOIL's may.
class FakeXfoil : public PolarRunner {
 public:
  struct At {
    double alpha;
    double before;  // the angle before it in this process; kNone for the first
  };
  std::function<bool(At)> fails = [](At) { return false; };
  std::function<bool(At)> hangs = [](At) { return false; };
  double crashes_at = kNone;
  std::vector<std::string> log;  // the commands of each process

  RunReport Run(const std::vector<std::string>& commands, std::size_t expected,
                const std::function<void(std::size_t)>& on_points) override {
    Process process;
    std::string line;
    for (const std::string& command : commands) {
      line += (line.empty() ? "" : "; ") + command;
      if (process.report.end == RunReport::End::kFinished) RunCommand(command, process);
      on_points(process.report.points.size());
    }
    log.push_back(line);
    EXPECT_LE(process.report.points.size(), expected) << line;
    return process.report;
  }

 private:
  struct Process {
    RunReport report;
    double before = kNone;
    double history = 0;
  };

  void RunCommand(const std::string& command, Process& process) {
    std::istringstream words(command);
    std::string name;
    double from = 0, to = 0, step = 1;
    words >> name >> from;
    const bool sequence = name == "ASEQ";
    if (sequence) words >> to >> step;
    const int count = sequence ? static_cast<int>((to - from) / step + 0.5) + 1 : 1;
    int failures = 0;
    for (int i = 0; i < count && process.report.end == RunReport::End::kFinished; ++i) {
      failures = RunPoint(from + i * step, process) ? 0 : failures + 1;
      if (sequence && failures == 4) {
        process.report.halted = true;
        return;
      }
    }
  }

  bool RunPoint(double alpha, Process& process) {
    const At at{alpha, process.before};
    process.history = 0.37 * process.history + alpha + 0.01;
    process.before = alpha;
    RunReport& report = process.report;
    if (std::abs(alpha - crashes_at) < 1e-9) {
      report.end = RunReport::End::kBroken;
      report.reason = "crashed";
      return true;
    }
    if (hangs(at)) {
      report.end = RunReport::End::kInterrupted;
      report.reason = "it hung";
      return true;
    }
    const bool converged = !fails(at);
    PolarRow row;
    row.alpha = std::round(alpha * 1000) / 1000;
    row.cl = process.history;
    report.points.push_back(converged ? std::optional<PolarRow>(row) : std::nullopt);
    return converged;
  }
};

bool Near(double a, double b) { return std::abs(a - b) < 1e-9; }

MarchResult MarchOver(FakeXfoil& xfoil, const std::vector<double>& aoa, double march = 1) {
  return RunMarch(aoa, march, xfoil, [](double fraction, const std::string& message) {
    EXPECT_GE(fraction, 0);
    EXPECT_LE(fraction, 1);
    EXPECT_FALSE(message.empty());
  });
}

std::vector<double> Range(double first, double last, double step) {
  std::vector<double> angles;
  for (int i = 0; first + i * step < last + 1e-9; ++i) angles.push_back(first + i * step);
  return angles;
}

TEST(MarchTest, WalksAsAPersonWould) {
  FakeXfoil xfoil;
  const MarchResult result = MarchOver(xfoil, Range(-4, 12, 1));
  EXPECT_THAT(xfoil.log, ElementsAre("ASEQ 0 12 1", "ASEQ -1 -4 -1"));
  EXPECT_EQ(result.rows.size(), 17u);
  EXPECT_THAT(result.missing, IsEmpty());
  EXPECT_THAT(result.rescued, IsEmpty());
}

TEST(MarchTest, StartsWhatIsNeededAndNoMore) {
  FakeXfoil positive;
  MarchOver(positive, {0.6, 1.2}, 0.3);
  EXPECT_THAT(positive.log, ElementsAre("ASEQ 0 1.2 0.3")) << "decimal noise of 4 * 0.3 is cut off";
  FakeXfoil negative;
  MarchOver(negative, {-2});
  EXPECT_THAT(negative.log, ElementsAre("ASEQ -1 -2 -1"));
  FakeXfoil zero;
  MarchOver(zero, {0});
  EXPECT_THAT(zero.log, ElementsAre("ASEQ 0 0 1"));
}

TEST(MarchTest, AnAngleOffTheGridBranchesFromTheNearest) {
  FakeXfoil xfoil;
  const MarchResult result = MarchOver(xfoil, {-2.4, -0.5, 0.5, 1.5, 1.6}, 1);
  EXPECT_EQ(result.rows.size(), 5u);
  EXPECT_THAT(xfoil.log, ElementsAre("ASEQ 0 2 1", "ASEQ -1 -2 -1", "ASEQ -1 -2 -1; ALFA -2.4", "ASEQ 0 0 1; ALFA -0.5",
                                     "ASEQ 0 0 1; ALFA 0.5", "ASEQ 0 1 1; ALFA 1.5", "ASEQ 0 2 1; ALFA 1.6"));
}

// The rule's purpose, over solvers that fail, hang and stop in many ways.
class OneValueTest : public ::testing::TestWithParam<int> {
 protected:
  static FakeXfoil Make(int seed) {
    FakeXfoil xfoil;
    const auto draw = [seed](const FakeXfoil::At& at, int salt) {
      const auto key = static_cast<long>(std::lround(at.alpha * 1000)) * 7919 + std::lround(at.before * 1000) * 104729;
      return static_cast<int>(std::abs((key + 31 * salt) * (2 * seed + 1)) % 100);
    };
    const int failing = 15 * (seed % 5);
    xfoil.fails = [draw, failing](FakeXfoil::At at) { return draw(at, 1) < failing; };
    xfoil.hangs = [draw, seed](FakeXfoil::At at) { return seed % 3 == 0 && draw(at, 2) < 6; };
    return xfoil;
  }
};

TEST_P(OneValueTest, WhicheverAnglesAreAskedWithIt) {
  const std::vector<double> all = Range(-8, 12, 0.25);
  FakeXfoil full_solver = Make(GetParam());
  const MarchResult full = MarchOver(full_solver, all, 0.5);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::size_t stride : {std::size_t{0}, std::size_t{5}}) {
      std::vector<double> asked = {all[i]};
      for (std::size_t k = i + stride; stride > 0 && k < all.size(); k += stride) {
        if (k != i) asked.push_back(all[k]);
      }
      FakeXfoil solver = Make(GetParam());
      const MarchResult some = MarchOver(solver, asked, 0.5);
      ASSERT_EQ(some.rows.count(all[i]), full.rows.count(all[i])) << all[i];
      if (full.rows.count(all[i]) == 1) {
        EXPECT_EQ(some.rows.at(all[i]).cl, full.rows.at(all[i]).cl) << all[i];
      } else {
        EXPECT_EQ(some.missing.at(all[i]), full.missing.at(all[i])) << all[i];
      }
    }
  }
  EXPECT_EQ(full.rows.size() + full.missing.size(), all.size());
}

INSTANTIATE_TEST_SUITE_P(Solvers, OneValueTest, ::testing::Range(0, 15));

TEST(MarchTest, AFailureIsTriedAgainApartAndTheMarchGoesOn) {
  FakeXfoil plain;
  const MarchResult undisturbed = MarchOver(plain, Range(0, 6, 1));
  FakeXfoil xfoil;
  xfoil.fails = [](FakeXfoil::At at) { return Near(at.alpha, 3) && Near(at.before, 2); };
  const MarchResult result = MarchOver(xfoil, Range(0, 6, 1));
  EXPECT_THAT(xfoil.log, ElementsAre("ASEQ 0 6 1", "ASEQ 0 2 1; ASEQ 2.25 3 0.25"));
  EXPECT_THAT(result.rescued, ElementsAre(3));
  EXPECT_EQ(result.rows.at(4).cl, undisturbed.rows.at(4).cl) << "as XFOIL itself goes on after a failure";
}

TEST(MarchTest, SecondAttemptsComeInAFixedOrder) {
  FakeXfoil xfoil;
  xfoil.fails = [](FakeXfoil::At at) { return Near(at.alpha, -3); };
  const MarchResult result = MarchOver(xfoil, {-4, -3});
  EXPECT_THAT(xfoil.log, ElementsAre("ASEQ -1 -4 -1", "ASEQ -1 -2 -1; ASEQ -2.25 -3 -0.25", "ALFA -3",
                                     "ALFA -4; ALFA -3", "ALFA -2; ALFA -3"));
  EXPECT_THAT(result.missing.at(-3), HasSubstr("did not converge"));
  EXPECT_EQ(result.rows.size(), 1u);

  FakeXfoil at_zero;
  at_zero.fails = [](FakeXfoil::At at) { return Near(at.alpha, 0); };
  EXPECT_EQ(MarchOver(at_zero, {0}).missing.size(), 1u);
  EXPECT_THAT(at_zero.log, ElementsAre("ASEQ 0 0 1", "ASEQ 1 0 -0.25", "ALFA 0", "ALFA 1; ALFA 0", "ALFA -1; ALFA 0"));

  FakeXfoil branch;
  branch.fails = [](FakeXfoil::At at) { return Near(at.alpha, 1.3) || Near(at.alpha, -1.8); };
  EXPECT_EQ(MarchOver(branch, {-1.8, 1.3}).missing.size(), 2u);
  EXPECT_THAT(branch.log, ElementsAre("ASEQ 0 1 1", "ASEQ -1 -2 -1", "ASEQ -1 -2 -1; ALFA -1.8", "ALFA -1.8",
                                      "ALFA -1; ALFA -1.8", "ASEQ 0 1 1; ALFA 1.3", "ALFA 1.3", "ALFA 2; ALFA 1.3"));
}

TEST(MarchTest, ABranchStartsFromTheLastConvergedAngle) {
  FakeXfoil xfoil;
  xfoil.fails = [](FakeXfoil::At at) { return Near(at.alpha, 3); };
  EXPECT_EQ(MarchOver(xfoil, {3.2}).rows.size(), 1u);
  EXPECT_THAT(xfoil.log, ElementsAre("ASEQ 0 3 1", "ASEQ 0 2 1; ALFA 3.2"));
}

TEST(MarchTest, FourFailuresInARowEndASide) {
  FakeXfoil xfoil;
  xfoil.fails = [](FakeXfoil::At at) { return at.alpha > 4.5; };
  const MarchResult result = MarchOver(xfoil, Range(-2, 12, 1));
  EXPECT_EQ(result.rows.size(), 7u);
  EXPECT_THAT(result.missing.at(5), HasSubstr("did not converge"));
  EXPECT_EQ(result.missing.at(9), "the march stopped at 8: four angles in a row did not converge");
  EXPECT_EQ(result.missing.at(12), result.missing.at(9));
  EXPECT_FALSE(result.watchdog);
}

TEST(MarchTest, OnlyTheFirstFailuresOfASideAreTriedAgain) {
  FakeXfoil xfoil;
  xfoil.fails = [](FakeXfoil::At at) { return std::lround(at.alpha) % 2 == 1 && !Near(at.before, kNone); };
  const MarchResult result = MarchOver(xfoil, Range(0, 24, 1));
  EXPECT_EQ(result.rescued.size(), static_cast<std::size_t>(kMaxRescued));
  EXPECT_EQ(result.missing.size(), 12u - kMaxRescued);
  EXPECT_EQ(result.missing.begin()->first, 17);
}

TEST(MarchTest, AfterAHangTheMarchGoesOnOnceASide) {
  FakeXfoil xfoil;
  xfoil.hangs = [](FakeXfoil::At at) { return Near(at.alpha, 3) || Near(at.alpha, 6); };
  const MarchResult result = MarchOver(xfoil, Range(0, 8, 1));
  EXPECT_THAT(xfoil.log,
              ElementsAre("ASEQ 0 8 1", "ASEQ 4 8 1", "ASEQ 0 2 1; ASEQ 2.25 3 0.25", "ASEQ 4 5 1; ASEQ 5.25 6 0.25"))
      << "an attempt that hangs is the last for its angle";
  EXPECT_EQ(result.rows.size(), 5u);
  EXPECT_THAT(result.missing.at(3), HasSubstr("had to be stopped at this angle"));
  EXPECT_EQ(result.missing.at(7), "the solver had to be stopped at 6 (it hung)");
  EXPECT_TRUE(result.watchdog);
}

TEST(MarchTest, ACrashEndsTheAttemptAndKeepsWhatThereWas) {
  FakeXfoil xfoil;
  xfoil.crashes_at = 3;
  const MarchResult result = MarchOver(xfoil, {-1, 0, 1, 1.4, 2, 3, 4});
  EXPECT_EQ(result.broken, "crashed");
  EXPECT_EQ(xfoil.log.size(), 1u);
  EXPECT_EQ(result.rows.size(), 3u);
  EXPECT_THAT(result.missing, IsEmpty());

  FakeXfoil branch;
  branch.crashes_at = 1.4;
  EXPECT_EQ(MarchOver(branch, {0, 1, 1.4, 2.4}).broken, "crashed");
  EXPECT_EQ(branch.log.size(), 2u);
}

TEST(MarchTest, ARowOfAnotherAngleIsNotTaken) {
  // A polar file that lost a row must not shift the others.
  class Shifted : public PolarRunner {
   public:
    RunReport Run(const std::vector<std::string>&, std::size_t expected,
                  const std::function<void(std::size_t)>&) override {
      RunReport report;
      for (std::size_t i = 0; i < expected; ++i) {
        PolarRow row;
        row.alpha = static_cast<double>(i + 1);
        report.points.push_back(row);
      }
      return report;
    }
  } shifted;
  const MarchResult result = RunMarch({0, 1}, 1, shifted, [](double, const std::string&) {});
  EXPECT_EQ(result.rows.count(1), 1u) << "the second attempt of 1 degree is what it says";
  EXPECT_EQ(result.rows.count(0), 0u);
}

TEST(MarchTest, ReportsEveryPoint) {
  FakeXfoil xfoil;
  double last = 0;
  RunMarch({-1, 0, 1, 1.2}, 1, xfoil, [&last](double fraction, const std::string&) {
    EXPECT_GE(fraction, last);
    last = fraction;
  });
  EXPECT_DOUBLE_EQ(last, 1);
}

}  // namespace
}  // namespace icarus::worker
