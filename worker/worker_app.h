// The worker program: from its options to its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/config/environment.h"
#include "common/config/home.h"
#include "common/config/settings.h"

namespace icarus::worker {

struct WorkerOptions {
  Home home;
  Settings settings;
  Environment environment;
  std::string access_file;        // empty: the home's
  std::string name;               // empty: the host's
  std::int32_t cpus = 0;          // 0: all that may be used
  std::int64_t memory_bytes = 0;  // 0: all there is
  std::map<std::string, std::int64_t> resources;
  std::map<std::string, std::string> labels;
  std::string scratch;  // empty: in the worker's directory
  std::int64_t drain_ms = 10'000;
  std::optional<std::int64_t> time_limit_ms;
  std::optional<std::int64_t> idle_timeout_ms;
  int ready_fd = -1;
};

// Serves until it is asked to end; the exit code. REQUIRES a process with one thread. An error was told to ready_fd
// too.
Result<int> RunWorker(const WorkerOptions& options);

// One JSON object a solver and line on standard output: name, analyses, identity, detail, remedy.
void PrintProbedSolvers();

}  // namespace icarus::worker
