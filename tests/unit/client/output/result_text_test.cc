#include "client/output/result_text.h"

#include <gtest/gtest.h>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

TEST(ResultText, OfOnePolar) {
  EXPECT_EQ(ResultText({SamplePolar(2, "naca2412", 1e6)}, {}),
            "naca2412 by xfoil 6.99+1a2b3c4d: mach 0, reynolds 1000000\n"
            "\n"
            " aoa      cl       cd       cm  note\n"
            "-2.0  0.0220  0.00659  -0.0540\n"
            " 0.0  0.2371        –  -0.0520\n"
            " 2.5                            missing: did not converge\n"
            "\n"
            "cl_max\n"
            "0.2371\n"
            "\n"
            "1 task: 1 completed; 1 point missing\n");
}

TEST(ResultText, OfASweepShowsWhatDiffers) {
  TaskResult cached = SamplePolar(0, "naca0012", 2e5);
  cached.item.task.cached = true;
  cached.body.missing.clear();
  cached.body.warnings = {"transition at the leading edge"};
  EXPECT_EQ(ResultText({cached, SampleFailure(1, "naca2412", 1e6)}, {}),
            "by xfoil 6.99+1a2b3c4d: mach 0\n"
            "\n"
            "task  target    reynolds  aoa      cl       cd       cm  note\n"
            " 7.0  naca0012    200000   -2  0.0220  0.00659  -0.0540\n"
            " 7.0  naca0012    200000    0  0.2371        –  -0.0520\n"
            " 7.1  naca2412   1000000                                 failed: solver_crashed: killed by signal 8\n"
            "\n"
            "task  target    reynolds  cl_max\n"
            " 7.0  naca0012    200000  0.2371\n"
            "\n"
            "2 tasks: 1 completed (1 cached), 1 failed\n"
            "warning: transition at the leading edge (1 task)\n");
}

TEST(ResultText, OfCommandsIsARowATask) {
  EXPECT_EQ(ResultText({SampleCommand(0, 0), SampleCommand(1, 3)}, {}),
            "by command\n"
            "\n"
            "task   n  state      exit_code  note\n"
            " 8.0   0  completed          0\n"
            " 8.1  10  failed             3  nonzero_exit: exited with 3\n"
            "\n"
            "2 tasks: 1 completed, 1 failed\n");
}

TEST(ResultText, OfNothing) { EXPECT_EQ(ResultText({}, {}), "no results\n"); }

}  // namespace
}  // namespace icarus::client
