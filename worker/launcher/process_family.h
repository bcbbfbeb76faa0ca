// ProcessFamily: all descendants of the calling process, which must be a subreaper: what it started and what those
// started, `setsid` and double-forked ones included. Waiting for them, measuring them, ending them.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace icarus::worker {

struct EndedChild {
  pid_t pid = 0;
  int status = 0;  // as waitpid gives it
};

class ProcessFamily {
 public:
  // Waits for every child that has ended, without blocking; their CPU time and memory are added up.
  std::vector<EndedChild> Reap();
  // No descendant was left at the last Reap (exact: an orphan becomes our child before its parent's end is seen).
  bool empty() const { return empty_; }
  // To be called when a child is started.
  void Expect() { empty_ = false; }

  // Sends the signal to every descendant found now, and SIGCONT after a signal that a stopped process would keep
  // waiting. `spared` and what descends from them are left alone. Returns how many live ones were found.
  static std::size_t Signal(int signal, const std::vector<pid_t>& spared = {});

  struct Usage {
    double cpu_s = 0;
    std::uint64_t max_rss_bytes = 0;
  };
  const Usage& usage() const { return usage_; }
  void ResetUsage() { usage_ = {}; }

  struct Footprint {
    std::uint64_t bytes = 0;
    int processes = 0;
  };
  // Memory of all descendants together now. Reads /proc.
  static Footprint Measure();

 private:
  Usage usage_;
  bool empty_ = true;
};

double CpuSeconds(const struct rusage& usage);

}  // namespace icarus::worker
