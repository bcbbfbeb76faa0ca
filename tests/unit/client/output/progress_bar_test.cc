#include "client/output/progress_bar.h"

#include <gtest/gtest.h>

#include "client/output/display.h"
#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ProgressCounts Counts(std::uint64_t total, std::uint64_t done, std::uint64_t cached = 0) {
  ProgressCounts counts;
  counts.total = total;
  counts.done = done;
  counts.cached = cached;
  counts.work = static_cast<double>(done);
  return counts;
}

// 60 tasks: 12 at once from the cache, then two a second for 13 s.
ProgressBar SampleBar() {
  ProgressBar bar;
  ProgressCounts counts = Counts(60, 12, 12);
  bar.Observe(counts, seconds(0));
  counts = Counts(60, 38, 12);
  counts.running = 2;
  counts.failed = 1;
  bar.Observe(counts, seconds(13));
  return bar;
}

TEST(ProgressCounts, AddsJobsAndKeepsFinishedOnes) {
  JobSummary finished = SampleJob();
  finished.job = JobId(8);
  finished.total = 10;
  finished.counts = {0, 0, 0, 9, 0, 0, 1};
  finished.cached = 0;
  finished.progress = 1;
  const ProgressCounts counts = CountProgress({SampleJob(), finished});
  EXPECT_EQ(counts.total, 70u);
  EXPECT_EQ(counts.done, 48u);
  EXPECT_EQ(counts.failed, 3u);
  EXPECT_EQ(counts.cancelled, 1u);
  EXPECT_EQ(counts.running, 2u);
  EXPECT_EQ(counts.cached, 12u);
  EXPECT_NEAR(counts.work, 49, 1e-9) << "0.65 of 60, and 10";
}

TEST(ProgressBar, ShowsAllOnAWideTerminal) {
  EXPECT_EQ(SampleBar().Line("job 7", {120, false, true}, seconds(13)),
            "job 7  [█████████████████████████░░░░░░░░░░░░░░░]  38/60  63 %  2 running  1 failed  12 cached  2.0/s  "
            "ETA 11.0 s");
}

TEST(ProgressBar, LeavesOutTheLeastImportantFirst) {
  const ProgressBar bar = SampleBar();
  const auto line = [&](std::size_t width) { return bar.Line("job 7", {width, false, false}, seconds(13)); };
  EXPECT_EQ(line(79), "job 7  [##########-------]  38/60  63 %  2 running  1 failed  2.0/s  ETA 11.0 s");
  EXPECT_EQ(line(60), "job 7  [##########------]  38/60  63 %  1 failed  ETA 11.0 s");
  EXPECT_EQ(line(46), "job 7  38/60  63 %  1 failed  ETA 11.0 s");
  EXPECT_EQ(line(12), "38/60  63 %");
  EXPECT_EQ(line(5), "38/60");
  EXPECT_EQ(line(3), "38…");
}

TEST(ProgressBar, NeverWiderThanTheTerminal) {
  const ProgressBar bar = SampleBar();
  for (std::size_t width = 1; width < 150; ++width) {
    EXPECT_LE(DisplayWidth(bar.Line("job 7", {width, false, true}, seconds(13))), width);
  }
}

TEST(ProgressBar, HundredPercentIsOnlyTheEnd) {
  ProgressBar bar;
  bar.Observe(Counts(1000, 999), seconds(0));
  EXPECT_EQ(bar.Line("", {20, false, false}, seconds(0)), "999/1000  99 %");
  ProgressCounts almost = Counts(1000, 999);
  almost.work = 1000;  // the last task says that it has done all its work
  bar.Observe(almost, seconds(0));
  EXPECT_EQ(bar.Line("", {20, false, false}, seconds(0)), "999/1000  99 %");
  bar.Observe(Counts(1000, 1000), seconds(1));
  EXPECT_EQ(bar.Line("", {40, false, false}, seconds(1)), "[#############]  1000/1000  100 %  1.0/s");
}

TEST(ProgressBar, ColoursWhenAsked) {
  const std::string line = SampleBar().Line("job 7", {120, true, false}, seconds(13));
  EXPECT_NE(line.find("\x1b[31m1 failed\x1b[0m"), std::string::npos);
  EXPECT_NE(line.find("[\x1b[32m####"), std::string::npos);
}

TEST(ProgressBar, LogLine) {
  EXPECT_EQ(SampleBar().LogLine("job 7", seconds(13)),
            "job 7: 38 of 60 done (63 %), 2 running, 1 failed, 12 cached, 2.0/s, ETA 11.0 s");
}

TEST(ProgressBar, HitsOfTheCacheDoNotFlatterTheEta) {
  ProgressBar bar;
  bar.Observe(Counts(1000, 0), seconds(0));
  bar.Observe(Counts(1000, 510, 500), seconds(10));
  ASSERT_TRUE(bar.EtaSeconds(seconds(10)));
  EXPECT_NEAR(*bar.EtaSeconds(seconds(10)), 490, 1e-6) << "one computed a second";
}

TEST(ProgressBar, EtaOfOneLongTaskComesFromItsOwnProgress) {
  ProgressBar bar;
  ProgressCounts counts = Counts(1, 0);
  bar.Observe(counts, seconds(0));
  counts.work = 0.25;
  bar.Observe(counts, seconds(20));
  EXPECT_NEAR(bar.EtaSeconds(seconds(20)).value(), 60, 1e-6);
}

TEST(ProgressBar, EtaCountsDownAndThenGrowsWhenNothingComes) {
  ProgressBar bar;
  bar.Observe(Counts(100, 0), seconds(0));
  bar.Observe(Counts(100, 5), seconds(10));
  EXPECT_NEAR(bar.EtaSeconds(seconds(10)).value(), 190, 1e-6);
  EXPECT_NEAR(bar.EtaSeconds(seconds(11)).value(), 189, 1e-6);
  EXPECT_GT(bar.EtaSeconds(seconds(40)).value(), 250) << "a stall is not hidden";
}

TEST(ProgressBar, NoEtaBeforeAnythingIsDoneNorAtTheEnd) {
  ProgressBar bar;
  bar.Observe(Counts(10, 0), seconds(0));
  EXPECT_FALSE(bar.EtaSeconds(seconds(5)));
  bar.Observe(Counts(10, 10), seconds(6));
  EXPECT_FALSE(bar.EtaSeconds(seconds(6)));
}

TEST(RateMeter, FollowsTheRecentRate) {
  RateMeter meter;
  double amount = 0;
  for (int s = 0; s <= 100; ++s) {
    meter.Observe(amount, seconds(s));
    amount += s < 50 ? 1 : 10;
  }
  EXPECT_NEAR(meter.PerSecond(seconds(100)).value(), 10, 0.5);
}

TEST(RateMeter, SilentUntilItKnows) {
  RateMeter meter;
  meter.Observe(5, seconds(0));
  EXPECT_FALSE(meter.PerSecond(seconds(0)));
  meter.Observe(6, milliseconds(100));
  EXPECT_FALSE(meter.PerSecond(milliseconds(100)));
  meter.Observe(7, milliseconds(300));
  EXPECT_TRUE(meter.PerSecond(milliseconds(300)));
}

TEST(FormatRate, ChoosesItsUnit) {
  EXPECT_EQ(FormatRate(1240.4), "1240/s");
  EXPECT_EQ(FormatRate(3.14), "3.1/s");
  EXPECT_EQ(FormatRate(0.1), "6.0/min");
  EXPECT_EQ(FormatRate(0.001), "3.6/h");
}

}  // namespace
}  // namespace icarus::client
