#include "client/output/job_text.h"

#include <gtest/gtest.h>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

TEST(JobText, SubmitLine) {
  SubmitReply reply;
  reply.job = JobId(7);
  reply.tasks = 60;
  reply.cached = 12;
  reply.probed = 60;
  EXPECT_EQ(SubmitLine(reply), "job 7: 60 tasks, 12 cached");
  reply.tasks = 1;
  reply.cached = 0;
  reply.existing = true;
  EXPECT_EQ(SubmitLine(reply), "job 7: 1 task, 0 cached (submitted before under this id)");
  reply.tasks = 5000;
  reply.probed = 1000;
  reply.existing = false;
  EXPECT_EQ(SubmitLine(reply), "job 7: 5000 tasks, 0 cached of the first 1000");
}

TEST(JobText, Table) {
  JobSummary old = SampleJob();
  old.job = JobId(3);
  old.name.clear();
  old.state = TaskState::kCompleted;
  old.priority = 0;
  old.counts = {0, 0, 0, 60, 0, 0, 0};
  old.submitted_at_ms -= 5 * 86'400'000LL;
  EXPECT_EQ(JobTableText({SampleJob(), old}, SampleJob().submitted_at_ms + 90'000, {}),
            "job  name        analysis       solver  state       done  failed  cached  priority  user    age\n"
            "  7  wing study  airfoil_polar  xfoil   running    38/60       3      12         5  anna  1m30s\n"
            "  3              airfoil_polar  xfoil   completed  60/60              12            anna    5 d\n");
  EXPECT_EQ(JobTableText({}, 0, {}), "no jobs\n");
}

TEST(JobText, ShowingLineOnlyWhenSomeAreHidden) {
  EXPECT_EQ(ShowingLine(50, 812), "showing 50 of 812");
  EXPECT_EQ(ShowingLine(50, 50), "");
}

ShowJobReply SampleShow() {
  ShowJobReply reply;
  reply.job = SampleJob();
  reply.job.incomplete = 1;
  TaskSummary running = SampleTask();
  running.index = 3;
  running.state = TaskState::kRunning;
  running.progress = 0.4;
  running.attempt = 2;
  running.params["reynolds"] = Number(2e6);
  TaskSummary pending = SampleTask();
  pending.index = 4;
  pending.state = TaskState::kPending;
  pending.worker.clear();
  pending.queue_wait_s = 0;
  reply.items = {SampleTask(), running, pending};
  reply.failures = {{TaskErrorKind::kNoConvergence, "nothing converged", 1, 5},
                    {TaskErrorKind::kSolverCrashed, "killed by\nsignal 8", 2, 9}};
  reply.next = 5;
  return reply;
}

TEST(JobText, Show) {
  EXPECT_EQ(ShowText(SampleShow(), {}),
            "job 7 \"wing study\": running\n"
            "  analysis   airfoil_polar by xfoil 6.99+1a2b3c4d\n"
            "  tasks      60 tasks: 35 completed (12 cached), 2 running, 20 pending, 2 failed, 1 timed out\n"
            "  note       1 completed task with missing points\n"
            "  user       anna, priority 5\n"
            "  tags       study=x\n"
            "  submitted  2026-01-02T03:03:05.123Z\n"
            "\n"
            "task  reynolds  state      progress  attempt  worker  waited    ran\n"
            " 7.2   1000000  completed                     w1      250 ms  1.5 s\n"
            " 7.3   2000000  running        40 %        2  w1      250 ms  1.5 s\n"
            " 7.4   1000000  pending\n"
            "more: icarus show 7 --after 4\n"
            "\n"
            "failures\n"
            "  2 tasks, for example 7.9: solver_crashed: killed by signal 8\n"
            "  1 task, for example 7.5: no_convergence: nothing converged\n"
            "  what the solver wrote: icarus logs 7 --failed\n");
}

TEST(JobText, FailuresAreCutToTheMostFrequent) {
  EXPECT_EQ(FailuresText(JobId(7), SampleShow().failures, 1),
            "  2 tasks, for example 7.9: solver_crashed: killed by signal 8\n"
            "  what the solver wrote: icarus logs 7 --failed\n"
            "  all failures: icarus show 7\n");
  EXPECT_EQ(FailuresText(JobId(7), {}, 3), "");
}

TEST(JobText, EndLine) {
  JobSummary job = SampleJob();
  job.state = TaskState::kFailed;
  job.counts = {0, 0, 0, 58, 2, 0, 0};
  job.incomplete = 4;
  job.finished_at_ms = job.submitted_at_ms + 21300;
  EXPECT_EQ(JobEndLine(job),
            "job 7 failed: 60 tasks: 58 completed (12 cached), 2 failed, 4 with missing points in 21.3 s");
}

TEST(JobText, ColourOnlyWhenAsked) {
  EXPECT_EQ(ShowText(SampleShow(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(ShowText(SampleShow(), {0, true}).find("\x1b[34mrunning"), std::string::npos);
}

}  // namespace
}  // namespace icarus::client
