#include "client/output/progress_printer.h"

#include <cmath>
#include <cstdlib>

#include "client/output/terminal.h"

namespace icarus::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Nanoseconds kRedraw = milliseconds(100);
constexpr Nanoseconds kRefresh = seconds(1);  // the ETA counts down between updates
constexpr Nanoseconds kLogEvery = seconds(10);

int Tenths(const ProgressCounts& counts) { return static_cast<int>(std::floor(10 * counts.fraction() + 1e-9)); }

}  // namespace

ProgressPrinter::Options ProgressPrinter::Detect(std::FILE* stream) {
  Options options;
  options.is_terminal = IsTerminal(fileno(stream)) && std::getenv("TERM") != nullptr;
  options.colour = options.is_terminal && ColourWanted();
  options.unicode = Utf8Wanted();
  return options;
}

void ProgressPrinter::Update(const std::vector<JobSummary>& jobs, Nanoseconds now) {
  for (const JobSummary& job : jobs) jobs_[job.job] = job;
  std::vector<JobSummary> all;
  for (const auto& [id, job] : jobs_) all.push_back(job);
  bar_.Observe(CountProgress(all), now);
  if (!started_) {
    started_ = true;
    next_ = options_.is_terminal ? now : now + kLogEvery;
    logged_tenths_ = Tenths(bar_.counts());
  }
  // A drawing that is not due yet is brought forward to 100 ms after the last one.
  if (options_.is_terminal && !dirty_ && on_screen_) next_ -= kRefresh - kRedraw;
  dirty_ = true;
  Tick(now);
}

void ProgressPrinter::Tick(Nanoseconds now) {
  if (!started_) return;
  if (!options_.is_terminal) {
    LogWhenDue(now);
  } else if (now >= next_ || !on_screen_) {
    Draw(now);
  }
}

void ProgressPrinter::Erase() {
  if (!on_screen_) return;
  std::fputs("\r\x1b[K", stream_);
  std::fflush(stream_);
  on_screen_ = false;
}

void ProgressPrinter::Finish(Nanoseconds now) {
  if (!started_) return;
  if (options_.is_terminal) {
    Draw(now);
    std::fputs("\n", stream_);
    std::fflush(stream_);
    on_screen_ = false;
  } else if (dirty_) {
    Log(now);
  }
  started_ = false;
}

std::string ProgressPrinter::Label() const {
  if (jobs_.size() == 1) return "job " + std::to_string(jobs_.begin()->first.value);
  return std::to_string(jobs_.size()) + " jobs";
}

void ProgressPrinter::Draw(Nanoseconds now) {
  // The last column stays free: a character in it makes some terminals wrap.
  const std::size_t columns = options_.width > 0 ? options_.width : TerminalWidth(fileno(stream_));
  const BarStyle style{columns > 1 ? columns - 1 : 1, options_.colour, options_.unicode};
  std::fputs(("\r" + bar_.Line(Label(), style, now) + "\x1b[K").c_str(), stream_);
  std::fflush(stream_);
  on_screen_ = true;
  dirty_ = false;
  next_ = now + kRefresh;
}

void ProgressPrinter::LogWhenDue(Nanoseconds now) {
  const int tenths = Tenths(bar_.counts());
  if (now >= next_ || tenths > logged_tenths_) Log(now);
}

void ProgressPrinter::Log(Nanoseconds now) {
  std::fputs((bar_.LogLine(Label(), now) + "\n").c_str(), stream_);
  std::fflush(stream_);
  logged_tenths_ = Tenths(bar_.counts());
  next_ = now + kLogEvery;
  dirty_ = false;
}

}  // namespace icarus::client
