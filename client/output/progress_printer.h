// ProgressPrinter: shows the progress of jobs on a stream while they are watched.
#pragma once

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "client/output/progress_bar.h"
#include "common/model/ids.h"

namespace icarus::client {

// On a terminal one line that is redrawn in place, at most ten times a second; elsewhere a line each 10 s or 10 %.
// Does not own the stream. One thread. `now` is monotonic in every call.
class ProgressPrinter {
 public:
  struct Options {
    bool is_terminal = false;
    bool colour = false;
    bool unicode = true;
    std::size_t width = 0;  // columns; 0: the terminal is asked at each drawing, as windows are resized
  };
  ProgressPrinter(std::FILE* stream, const Options& options) : stream_(stream), options_(options) {}
  // Asks the stream and the environment (NO_COLOR, TERM, locale).
  static Options Detect(std::FILE* stream);

  // Takes the present state of some of the jobs; the others keep theirs.
  void Update(const std::vector<JobSummary>& jobs, Nanoseconds now);
  // Draws what is due. To be called no later than NextTick().
  void Tick(Nanoseconds now);
  Nanoseconds NextTick() const { return next_; }
  // Removes the line from a terminal, so that something else can be written; the next Tick draws it again.
  void Erase();
  // Shows the last state, whole, and leaves the line. Nothing when nothing was ever shown.
  void Finish(Nanoseconds now);

 private:
  std::string Label() const;
  void Draw(Nanoseconds now);
  void LogWhenDue(Nanoseconds now);
  void Log(Nanoseconds now);

  std::FILE* stream_;
  Options options_;
  std::map<JobId, JobSummary> jobs_;
  ProgressBar bar_;
  bool started_ = false;
  bool dirty_ = false;  // the state is newer than what is shown
  bool on_screen_ = false;
  Nanoseconds next_{0};
  int logged_tenths_ = 0;  // of the work, at the last log line
};

}  // namespace icarus::client
