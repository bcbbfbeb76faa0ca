// icarus-worker as a process of a test, in a home of its own; killed with the object if it still runs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/config/home.h"

namespace icarus::testing {

class WorkerProcess {
 public:
  explicit WorkerProcess(const Home& home, const std::vector<std::string>& arguments = {});
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  void Terminate(int drain_ms) const;  // as `icarus down --drain`
  // The line on --ready-fd; "" when the worker ends without one.
  std::string ReadyLine();
  // The exit code, 128 + the signal, or -1 after the deadline.
  int Wait(std::chrono::seconds within = std::chrono::seconds(30));

 private:
  pid_t pid_ = -1;
  UniqueFd ready_;
};

// Processes whose command line has this word, other than the caller.
std::vector<pid_t> ProcessesWith(const std::string& word);
// Polls until the condition holds; false after the deadline.
template <class Condition>
bool Eventually(Condition condition, std::chrono::seconds within = std::chrono::seconds(20)) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace icarus::testing
