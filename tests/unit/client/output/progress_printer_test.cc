#include "client/output/progress_printer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A stream into memory.
class MemoryStream {
 public:
  MemoryStream() : file_(open_memstream(&buffer_, &size_)) {}
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;
  ~MemoryStream() {
    std::fclose(file_);
    std::free(buffer_);
  }
  std::FILE* file() { return file_; }
  std::string text() {
    std::fflush(file_);
    return std::string(buffer_, size_);
  }

 private:
  char* buffer_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

JobSummary Job(std::uint64_t id, std::uint64_t total, std::uint64_t done) {
  JobSummary job;
  job.job = JobId(id);
  job.total = total;
  job.counts = {0, total - done, 0, done, 0, 0, 0};
  return job;
}

ProgressPrinter::Options Terminal() { return {true, false, false, 40}; }

TEST(ProgressPrinter, RedrawsOneLineOnATerminal) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), Terminal());
  printer.Update({Job(7, 10, 0)}, seconds(100));
  printer.Update({Job(7, 10, 10)}, seconds(101));
  printer.Finish(seconds(101));
  EXPECT_EQ(stream.text(),
            "\rjob 7  [-------------------]  0/10  0 %\x1b[K"
            "\rjob 7  [########]  10/10  100 %  10.0/s\x1b[K"
            "\rjob 7  [########]  10/10  100 %  10.0/s\x1b[K\n");
}

TEST(ProgressPrinter, AtMostTenDrawingsASecondAndTheLastOneIsNotLost) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), Terminal());
  for (int ms = 0; ms < 1000; ++ms) {
    printer.Update({Job(7, 1000, static_cast<std::uint64_t>(ms))}, milliseconds(ms));
  }
  EXPECT_EQ(Count(stream.text(), "\r"), 10u);
  EXPECT_EQ(printer.NextTick(), milliseconds(1000));
  printer.Tick(printer.NextTick());
  EXPECT_NE(stream.text().rfind("999/1000"), std::string::npos);
}

TEST(ProgressPrinter, TheTimeLeftIsRefreshedEachSecond) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), Terminal());
  printer.Update({Job(7, 10, 0)}, seconds(0));
  printer.Tick(milliseconds(500));
  EXPECT_EQ(Count(stream.text(), "\r"), 1u);
  printer.Tick(seconds(1));
  EXPECT_EQ(Count(stream.text(), "\r"), 2u);
}

TEST(ProgressPrinter, ErasesItsLineForOtherMessages) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), Terminal());
  printer.Erase();
  EXPECT_EQ(stream.text(), "") << "nothing to erase yet";
  printer.Update({Job(7, 10, 0)}, seconds(0));
  const std::size_t before = stream.text().size();
  printer.Erase();
  EXPECT_EQ(stream.text().substr(before), "\r\x1b[K");
}

TEST(ProgressPrinter, ALineEachTenPercentElsewhere) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), {});
  for (std::uint64_t done = 0; done <= 1000; ++done) printer.Update({Job(7, 1000, done)}, milliseconds(done));
  printer.Finish(seconds(1));
  EXPECT_EQ(Count(stream.text(), "\n"), 10u) << stream.text();
  EXPECT_EQ(stream.text().find('\r'), std::string::npos);
  EXPECT_EQ(stream.text().find('\x1b'), std::string::npos);
  EXPECT_NE(stream.text().find("job 7: 1000 of 1000 done (100 %)"), std::string::npos);
}

TEST(ProgressPrinter, OrEachTenSeconds) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), {});
  printer.Update({Job(7, 1000, 1)}, seconds(0));
  EXPECT_EQ(stream.text(), "");
  EXPECT_EQ(printer.NextTick(), seconds(10));
  printer.Tick(seconds(9));
  EXPECT_EQ(stream.text(), "");
  printer.Tick(seconds(10));
  EXPECT_EQ(stream.text(), "job 7: 1 of 1000 done (0 %)\n");
  printer.Tick(seconds(20));
  EXPECT_EQ(Count(stream.text(), "\n"), 2u);
}

TEST(ProgressPrinter, AJobThatWasDoneAtOnceHasOneLine) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), {});
  printer.Update({Job(7, 3, 3)}, seconds(0));
  printer.Finish(seconds(0));
  EXPECT_EQ(stream.text(), "job 7: 3 of 3 done (100 %)\n");
}

TEST(ProgressPrinter, FinishedJobsStayInTheTotal) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), {});
  printer.Update({Job(7, 10, 0), Job(8, 10, 0)}, seconds(0));
  printer.Update({Job(7, 10, 10)}, seconds(1));
  EXPECT_NE(stream.text().find("2 jobs: 10 of 20 done (50 %)"), std::string::npos) << stream.text();
  printer.Update({Job(8, 10, 5)}, seconds(2));
  EXPECT_NE(stream.text().find("2 jobs: 15 of 20 done (75 %)"), std::string::npos) << stream.text();
}

TEST(ProgressPrinter, NothingShownNothingToFinish) {
  MemoryStream stream;
  ProgressPrinter printer(stream.file(), Terminal());
  printer.Finish(seconds(0));
  EXPECT_EQ(stream.text(), "");
}

TEST(ProgressPrinter, AFileIsNoTerminal) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  EXPECT_FALSE(ProgressPrinter::Detect(file).is_terminal);
  EXPECT_FALSE(ProgressPrinter::Detect(file).colour);
  std::fclose(file);
}

}  // namespace
}  // namespace icarus::client
