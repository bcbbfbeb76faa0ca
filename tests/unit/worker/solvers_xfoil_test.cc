// The adapter with the real program (skipped, saying so, where it is not installed) and with stand-ins that misbehave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "common/analysis/airfoil.h"
#include "common/base/files.h"
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/model/content_hash.h"
#include "worker/solvers/xfoil/xfoil_solver.h"

namespace icarus::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

class CountProgress : public ProgressSink {
 public:
  void OnProgress(double fraction, std::string_view) override {
    EXPECT_GE(fraction, last);
    EXPECT_LE(fraction, 1);
    last = fraction;
    ++calls;
  }
  double last = 0;
  int calls = 0;
};

// A scratch directory with a blank in its path, as a user's may have, and the environment that points to the programs.
class XfoilTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("icarus xfoil test-" + RandomHex(6));
    fs::create_directories(directory_ / "scratch");
    ::setenv("ICARUS_NOFPE", ICARUS_TEST_NOFPE, 1);
    ::unsetenv("ICARUS_XFOIL");
  }
  void TearDown() override {
    EXPECT_TRUE(fs::is_empty(directory_ / "scratch")) << "the adapter cleans up after itself";
    fs::remove_all(directory_);
    ::unsetenv("ICARUS_XFOIL");
    ::unsetenv("ICARUS_NOFPE");
  }

  SolverInput Input(const std::string& naca, const std::string& aoa, double reynolds = 1e6) {
    SolverInput input;
    input.analysis = "airfoil_polar";
    input.target = {naca, ""};
    input.scratch_dir = (directory_ / "scratch").string();
    const auto angles = ParseValue(aoa);
    EXPECT_TRUE(angles.has_value());
    input.params = {
        {"aoa", *angles},         {"reynolds", Value(reynolds)}, {"mach", Value(0.0)},     {"ncrit", Value(9.0)},
        {"xtr_top", Value(1.0)},  {"xtr_bottom", Value(1.0)},    {"panels", Value(160.0)}, {"iter", Value(100.0)},
        {"viscous", Value(true)}, {"geometry", Value("solver")}, {"march", Value(0.5)}};
    return input;
  }

  // Makes ICARUS_XFOIL a shell script.
  void UseScript(const std::string& body) {
    const fs::path path = directory_ / "fake-xfoil";
    std::ofstream(path) << "#!/bin/sh\n" << body;
    ::chmod(path.c_str(), 0755);
    ::setenv("ICARUS_XFOIL", path.c_str(), 1);
  }

  // Makes ICARUS_XFOIL an imitation that computes ASEQ and ALFA of its script, with what happens at an angle in `at`
  // (awk: a is the angle, it may call fail(), hang(), die(signal), flood()).
  void UseImitation(const std::string& at) {
    std::ofstream(directory_ / "imitation.awk") << R"awk(
      function say(text) { printf "%s\n", text; fflush() }
      function fail() { say(" VISCAL:  Convergence failed"); failed = 1 }
      function hang() { while (1) {} }
      function flood() { while (1) print "NaN NaN NaN NaN" }
      function die(sig) { system("kill -" sig " $PPID"); hang() }
      function point(a) {
        failed = 0
        )awk" << at << R"awk(
        if (failed) return 0
        printf "%8.3f   0.5000   0.01000   0.00500  -0.0500   0.5000   0.6000   1.0   2.0\n", a >> "polar.txt"
        fflush("polar.txt")
        say(" Point added to stored polar  1")
        return 1
      }
      BEGIN { say("  XFOIL Version 6.99"); print "  alpha\n  ------ --------" > "polar.txt" }
      $1 == "ALFA" { point($2 + 0) }
      $1 == "ASEQ" {
        n = int(($3 - $2) / $4 + 0.5) + 1; bad = 0
        for (i = 0; i < n; ++i) {
          bad = point($2 + i * $4) ? 0 : bad + 1
          if (bad == 4) { say(" Sequence halted since previous  4 points did not converge"); break }
        }
      })awk";
    UseScript("exec awk -f '" + (directory_ / "imitation.awk").string() + "'\n");
  }

  SolverOutcome RunSolver(const SolverInput& input) {
    // Short enough for a test, long enough for a loaded machine to start a shell.
    XfoilLimits limits;
    limits.watchdog = {std::chrono::milliseconds(300), std::chrono::milliseconds(20000)};
    return RunXfoil(input, progress_, limits);
  }

  fs::path directory_;
  CountProgress progress_;
};

std::map<double, std::vector<Value>> ByAngle(const SolverOutcome& outcome) {
  std::map<double, std::vector<Value>> rows;
  for (const auto& row : outcome.body.rows) rows[row[0].number()] = row;
  return rows;
}

class RealXfoilTest : public XfoilTest {
 protected:
  void SetUp() override {
    XfoilTest::SetUp();
    if (!FindXfoil()) GTEST_SKIP() << "xfoil is not installed";
  }

  // The polar file of XFOIL driven by hand: one process, both sides, INIT between them.
  std::vector<std::optional<PolarRow>> ByHand(const std::string& naca, const std::string& reynolds,
                                              const std::string& commands) {
    const std::string dir = (directory_ / "by hand").string();
    fs::create_directories(dir);
    std::ofstream(dir + "/in") << "PLOP\nG F\n\nNACA " << naca << "\nPANE\nOPER\nVISC " << reynolds
                               << "\nMACH 0.0\nITER 100\nPACC\npolar.txt\n\n"
                               << commands << "\nPACC\n\nQUIT\n";
    fs::create_symlink(ICARUS_TEST_NOFPE, dir + "/nofpe.so");
    const std::string line = "cd '" + dir + "' && env -u DISPLAY LD_PRELOAD=./nofpe.so GFORTRAN_UNBUFFERED_ALL=1 " +
                             FindXfoil()->path + " < in > out 2> err";
    EXPECT_EQ(std::system(line.c_str()), 0);
    const auto text = ReadFile(dir + "/polar.txt", 1 << 20);
    fs::remove_all(dir);
    return text ? ParsePolarFile(*text) : std::vector<std::optional<PolarRow>>();
  }

  void ExpectEqualsByHand(const std::string& naca, const std::string& reynolds, double low, double high, double step) {
    SCOPED_TRACE(naca + " at " + reynolds + " step " + FormatNumber(step));
    const std::string h = FormatNumber(step);
    const auto hand =
        ByHand(naca, reynolds,
               "ASEQ 0 " + FormatNumber(high) + " " + h + "\nINIT\nASEQ -" + h + " " + FormatNumber(low) + " -" + h);
    SolverInput input =
        Input("naca" + naca, FormatNumber(low) + ":" + FormatNumber(high) + ":" + h, *ParseNumber(reynolds));
    input.params["march"] = Value(step);
    const SolverOutcome outcome = RunXfoil(input, progress_);
    progress_.last = 0;
    ASSERT_EQ(outcome.error.kind, TaskErrorKind::kNone) << outcome.error.message;
    const auto rows = ByAngle(outcome);
    ASSERT_GE(hand.size(), 15u);
    EXPECT_GE(rows.size(), hand.size());
    for (const auto& row : hand) {
      ASSERT_TRUE(row.has_value());
      ASSERT_EQ(rows.count(row->alpha), 1u) << row->alpha;
      const std::vector<Value> expected = {Value(row->alpha),     Value(row->cl), Value(row->cd),
                                           Value(row->cdp),       Value(row->cm), Value(row->xtr_top),
                                           Value(row->xtr_bottom)};
      EXPECT_EQ(rows.at(row->alpha), expected) << row->alpha;
    }
  }
};

TEST_F(RealXfoilTest, IsFoundTestedAndIdentified) {
  const SolverInfo info = ProbeXfoil();
  EXPECT_EQ(info.name, "xfoil");
  EXPECT_THAT(info.identity, MatchesRegex("[0-9]+\\.[0-9]+\\+[0-9a-f]{8}")) << info.detail;
  EXPECT_THAT(info.analyses, ::testing::ElementsAre("airfoil_polar"));
  EXPECT_EQ(info.remedy, "");
}

TEST_F(RealXfoilTest, EqualsThePolarOfXfoilMarchedByHand) {
  for (const char* naca : {"0012", "2412"}) {
    for (const char* reynolds : {"2e5", "5e5", "1e6"}) {
      ExpectEqualsByHand(naca, reynolds, -4, 12, 1);
    }
  }
  // At 2e5 the march misses angles: what is done about them must not disturb the others.
  ExpectEqualsByHand("0012", "2e5", -10, 15, 0.5);
}

TEST_F(RealXfoilTest, AnAngleHasOneValue) {
  const auto many = ByAngle(RunXfoil(Input("naca2412", "-4:12:1", 5e5), progress_));
  progress_.last = 0;
  const auto fine = ByAngle(RunXfoil(Input("naca2412", "3:5:0.25", 5e5), progress_));
  progress_.last = 0;
  const auto alone = ByAngle(RunXfoil(Input("naca2412", "4", 5e5), progress_));
  progress_.last = 0;
  const auto branch = ByAngle(RunXfoil(Input("naca2412", "4.25", 5e5), progress_));
  ASSERT_EQ(many.size(), 17u);
  ASSERT_EQ(alone.size(), 1u);
  ASSERT_EQ(branch.size(), 1u);
  EXPECT_EQ(many.at(4), alone.at(4));
  EXPECT_EQ(fine.at(4), alone.at(4));
  EXPECT_EQ(fine.at(4.25), branch.at(4.25));
  EXPECT_NEAR(branch.at(4.25)[1].number(), 0.7303, 0.003);
  EXPECT_EQ(progress_.last, 1);
}

TEST_F(RealXfoilTest, AnAngleThatTheMarchMissesIsFoundApart) {
  const SolverOutcome outcome = RunXfoil(Input("naca2412", "7.5"), progress_);
  ASSERT_EQ(outcome.body.rows.size(), 1u);
  EXPECT_NEAR(outcome.body.rows[0][1].number(), 1.0409, 0.002);
  ASSERT_EQ(outcome.body.warnings.size(), 1u);
  EXPECT_THAT(outcome.body.warnings[0], HasSubstr("7.5"));
}

TEST_F(RealXfoilTest, ObeysTheParameters) {
  // Ladson's condition: Re 6e6, M 0.15, tripped at 5 %.
  SolverInput input = Input("naca0012", "4,10", 6e6);
  input.params["mach"] = Value(0.15);
  input.params["xtr_top"] = input.params["xtr_bottom"] = Value(0.05);
  const auto tripped = ByAngle(RunXfoil(input, progress_));
  ASSERT_EQ(tripped.size(), 2u);
  EXPECT_NEAR(tripped.at(4)[1].number(), 0.4642, 0.002);
  EXPECT_NEAR(tripped.at(4)[2].number(), 0.00826, 1e-4);
  EXPECT_NEAR(tripped.at(10)[2].number(), 0.01156, 1e-4);

  progress_.last = 0;
  SolverInput noisy = Input("naca0012", "0");
  noisy.params["ncrit"] = Value(4.0);
  EXPECT_NEAR(ByAngle(RunXfoil(noisy, progress_)).at(0)[2].number(), 0.00707, 1e-4);

  progress_.last = 0;
  SolverInput finer = Input("naca0012", "4");
  finer.params["panels"] = Value(240.0);
  finer.params["viscous"] = Value(false);
  finer.params.erase("reynolds");
  EXPECT_NEAR(ByAngle(RunXfoil(finer, progress_)).at(4)[1].number(), 0.4832, 6e-4);
}

TEST_F(RealXfoilTest, InviscidRowsHaveNoDrag) {
  SolverInput input = Input("naca2412", "-2:8:0.5");
  input.params["viscous"] = Value(false);
  input.params.erase("reynolds");
  const SolverOutcome outcome = RunXfoil(input, progress_);
  ASSERT_EQ(outcome.body.rows.size(), 21u);
  const auto& row = outcome.body.rows[12];
  EXPECT_EQ(row[0], Value(4.0));
  EXPECT_NEAR(row[1].number(), 0.7376, 2e-4) << "its own NACA generator";
  for (const std::size_t null : {2u, 3u, 5u, 6u}) EXPECT_TRUE(row[null].is_null()) << null;
  EXPECT_TRUE(outcome.body.summary.at("cd_min").is_null());
}

TEST_F(RealXfoilTest, ExactGeometryAndCoordinateFilesAreLoaded) {
  SolverInput exact = Input("naca2412", "4");
  exact.params["viscous"] = Value(false);
  exact.params["geometry"] = Value("exact");
  EXPECT_NEAR(ByAngle(RunXfoil(exact, progress_)).at(4)[1].number(), 0.7425, 3e-4);

  const AirfoilPoints points = NacaPoints("naca2412", 160);
  std::string text = "NACA 2412 in a file\r\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += FormatNumber(points.x[i]) + "\t" + FormatNumber(points.y[i]) + "\r\n";
  }
  progress_.last = 0;
  SolverInput file = exact;
  file.params["geometry"] = Value("solver");
  const auto target = ParseAirfoilCoordinates("a name with blanks.dat", text);
  ASSERT_TRUE(target.has_value());
  file.target = *target;
  EXPECT_NEAR(ByAngle(RunXfoil(file, progress_)).at(4)[1].number(), 0.7425, 5e-4);
}

TEST_F(RealXfoilTest, WhatItWroteIsKept) {
  const SolverOutcome outcome = RunXfoil(Input("naca0012", "-5:10:0.5"), progress_);
  ASSERT_TRUE(outcome.body.stdout_file && outcome.body.stdout_file->content);
  const FileRef& file = *outcome.body.stdout_file;
  EXPECT_EQ(file.name, "stdout");
  EXPECT_LE(file.size, XfoilSession::kMaxTranscript);
  EXPECT_EQ(file.size, file.content->size());
  EXPECT_EQ(file.hash, HashBytes(*file.content));
  EXPECT_THAT(*file.content, HasSubstr("Point added to stored polar"));
  EXPECT_GT(progress_.calls, 20);
}

TEST_F(RealXfoilTest, WithoutTheShimTheProbeSaysSo) {
  // Debian's build traps a division by zero when there is no display; another build may work without the shim.
  ::setenv("ICARUS_NOFPE", "/nonexistent/nofpe.so", 1);
  const SolverInfo info = ProbeXfoil();
  if (!info.identity.empty()) GTEST_SKIP() << "this xfoil needs no shim";
  EXPECT_THAT(info.detail, HasSubstr("does not work here"));
  EXPECT_THAT(info.remedy, HasSubstr("apt-get install xfoil"));
}

TEST_F(XfoilTest, ACrashIsToldWithItsSignalAndKeepsTheRows) {
  UseImitation("if (a > 1.2) die(\"SEGV\")");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0:3:0.5"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(outcome.error.signal, SIGSEGV);
  EXPECT_THAT(outcome.error.message, HasSubstr("SIGSEGV"));
  EXPECT_EQ(outcome.body.rows.size(), 3u) << "partial rows come along";
}

TEST_F(XfoilTest, AKilledSolverIsACrashToo) {
  UseScript("kill -KILL $$\n");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_EQ(outcome.error.signal, SIGKILL);
}

TEST_F(XfoilTest, ASilentExitIsACrash) {
  UseScript("exit 0\n");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_THAT(outcome.error.message, HasSubstr("exited without a result"));
  EXPECT_FALSE(outcome.error.signal.has_value());
}

TEST_F(XfoilTest, AnExitStatusComesWithTheLastLine) {
  UseScript("echo 'Fortran runtime error: End of file' >&2\nexit 2\n");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kNonzeroExit);
  EXPECT_EQ(outcome.error.exit_code, 2);
  EXPECT_THAT(outcome.error.message, HasSubstr("End of file"));
  ASSERT_TRUE(outcome.body.stdout_file.has_value());
  EXPECT_THAT(*outcome.body.stdout_file->content, HasSubstr("Fortran runtime error"));
}

TEST_F(XfoilTest, ARefusalIsInvalidInput) {
  UseScript("echo ' ***  No airfoil available  ***'\n");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kInvalidInput);
  EXPECT_THAT(outcome.error.message, HasSubstr("No airfoil available"));
}

TEST_F(XfoilTest, AHangIsEndedAndTheMarchGoesOn) {
  UseImitation("if (a > 0.9 && a < 1.1) hang()");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0:2:0.5"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kNone) << outcome.error.message;
  EXPECT_EQ(outcome.body.rows.size(), 4u);
  ASSERT_EQ(outcome.body.missing.size(), 1u);
  EXPECT_EQ(outcome.body.missing[0].at.at("aoa"), Value(1.0));
  EXPECT_THAT(outcome.body.missing[0].reason, HasSubstr("stopped"));
  EXPECT_FALSE(outcome.cacheable) << "another run may fill the gap";
}

TEST_F(XfoilTest, AHangFromTheStartIsACrash) {
  UseScript("while :; do :; done\n");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0,1"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_THAT(outcome.error.message, HasSubstr("hung"));
  EXPECT_FALSE(outcome.cacheable);
}

TEST_F(XfoilTest, AnIdleHangIsEndedToo) {
  UseScript("exec sleep 1000\n");
  XfoilLimits limits;
  limits.watchdog = {std::chrono::milliseconds(20000), std::chrono::milliseconds(150)};
  const SolverOutcome outcome = RunXfoil(Input("naca0012", "0"), progress_, limits);
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kSolverCrashed);
  EXPECT_THAT(outcome.error.message, HasSubstr("hung"));
}

TEST_F(XfoilTest, AFloodIsEndedAndItsOutputBounded) {
  UseImitation("if (a > 0.9 && a < 1.1) flood()");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0:2:0.5"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kNone) << outcome.error.message;
  EXPECT_EQ(outcome.body.rows.size(), 4u);
  ASSERT_EQ(outcome.body.missing.size(), 1u);
  EXPECT_LE(outcome.body.stdout_file->size, XfoilSession::kMaxTranscript);
}

TEST_F(XfoilTest, NothingConvergedIsNoConvergence) {
  UseImitation("fail()");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "0:4:0.5"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kNoConvergence);
  EXPECT_THAT(outcome.error.message, HasSubstr("none of the 9 angles"));
  EXPECT_EQ(outcome.body.missing.size(), 9u);
  EXPECT_TRUE(outcome.cacheable);
}

TEST_F(XfoilTest, SomeMissingIsASuccess) {
  UseImitation("if (a > 1.2) fail()");
  const SolverOutcome outcome = RunSolver(Input("naca0012", "-1:2:0.5"));
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kNone);
  EXPECT_EQ(outcome.body.rows.size(), 5u);
  EXPECT_EQ(outcome.body.missing.size(), 2u);
  for (std::size_t i = 1; i < outcome.body.rows.size(); ++i) {
    EXPECT_LT(outcome.body.rows[i - 1][0].number(), outcome.body.rows[i][0].number());
  }
}

TEST_F(XfoilTest, TheProbeExplainsWhatIsMissing) {
  ::setenv("ICARUS_XFOIL", "/nonexistent/xfoil", 1);
  SolverInfo info = ProbeXfoil();
  EXPECT_EQ(info.identity, "");
  EXPECT_THAT(info.detail, HasSubstr("/nonexistent/xfoil"));
  EXPECT_THAT(info.remedy, HasSubstr("apt-get install xfoil"));
  UseImitation("");  // its cl is 0.5
  info = ProbeXfoil();
  EXPECT_EQ(info.identity, "");
  EXPECT_THAT(info.detail, AllOf(HasSubstr("does not work here"), HasSubstr("0.5")));
}

TEST_F(XfoilTest, TheProgramSeesAScrubbedEnvironment) {
  ::setenv("DISPLAY", ":0", 1);
  ::setenv("ICARUS_SECRET", "1", 1);
  UseScript("env; cat in.txt; exit 0\n");
  const SolverOutcome outcome = RunSolver(Input("naca2412", "0:3:0.5", 250000));
  ::unsetenv("DISPLAY");
  ::unsetenv("ICARUS_SECRET");
  ASSERT_TRUE(outcome.body.stdout_file.has_value());
  EXPECT_THAT(*outcome.body.stdout_file->content,
              AllOf(Not(HasSubstr("DISPLAY")), Not(HasSubstr("SECRET")), HasSubstr("GFORTRAN_UNBUFFERED_ALL=1"),
                    HasSubstr("LD_PRELOAD=./nofpe.so"), HasSubstr("NACA 2412\nPANE\n"),
                    HasSubstr("VISC 250000\nMACH 0\n"), HasSubstr("ASEQ 0 3 0.5\n")));
}

TEST_F(XfoilTest, AProgramThatWasReplacedIsNoticed) {
  const auto identity = [this] {
    return "6.99+" + HashBytes(*ReadFile((directory_ / "fake-xfoil").string(), 1 << 20)).Hex().substr(0, 8);
  };
  UseScript("exit 0\n");
  const std::string first = identity();
  EXPECT_TRUE(IsXfoilStill(first));
  UseScript("exit 1 # another\n");
  EXPECT_FALSE(IsXfoilStill(first));
  EXPECT_TRUE(IsXfoilStill(identity()));
  CountProgress progress;
  SolverInput input = Input("naca0012", "0");
  input.identity = first;
  const SolverOutcome outcome = worker::RunSolver("xfoil", input, progress);
  EXPECT_TRUE(outcome.changed);
  EXPECT_THAT(outcome.body.rows, IsEmpty()) << "it is not even begun";
  fs::remove(directory_ / "fake-xfoil");
  EXPECT_FALSE(IsXfoilStill(first));
}

TEST_F(XfoilTest, TooManyPointsForItsBufferAreRefused) {
  UseScript("exit 0\n");
  SolverInput input = Input("naca0012", "0");
  const AirfoilPoints points = NacaPoints("naca0012", 1600);
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += FormatNumber(points.x[i]) + " " + FormatNumber(points.y[i]) + "\n";
  }
  input.target = *ParseAirfoilCoordinates("many.dat", text);
  const SolverOutcome outcome = RunSolver(input);
  EXPECT_EQ(outcome.error.kind, TaskErrorKind::kInvalidInput);
  EXPECT_THAT(outcome.error.message, AllOf(HasSubstr("1480"), HasSubstr("many.dat")));
}

}  // namespace
}  // namespace icarus::worker
