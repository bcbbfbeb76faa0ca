// The simulator's program: runs seeds, says what was found, and for a failing one what led to it.
//   icarus-sim [--seeds N] [--first-seed S] [--trace] [--stop-after VIOLATIONS]
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/sim/fault_plan.h"
#include "tests/sim/run.h"

namespace icarus::sim {
namespace {

std::uint64_t running_seed = 0;

// A broken ICARUS_CHECK ends the process: say which run it was.
void OnAbort(int) {
  std::fprintf(stderr, "seed %llu: the core has ended itself\n", static_cast<unsigned long long>(running_seed));
  std::_Exit(1);
}

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::uint64_t stop_after = 1;
  bool trace = false;
};

// Leaves out one kind of fault after the other for as long as the run still fails.
RunReport Shorten(std::uint64_t seed) {
  RunOptions options{seed, 0, true};
  RunReport shortest = Run(options);
  for (int i = 0; i < kFaultCount; ++i) {
    RunOptions fewer = options;
    fewer.without |= 1u << i;
    RunReport report = Run(fewer);
    if (report.violations.empty() || report.plan == shortest.plan) continue;
    options = fewer;
    shortest = std::move(report);
  }
  return shortest;
}

// The job that the violation is about, in digits; empty: none.
std::string JobOf(const std::string& violation) {
  for (const char* word : {"task ", "job "}) {
    const std::size_t at = violation.find(word);
    if (at == std::string::npos) continue;
    const std::size_t first = at + std::strlen(word);
    const std::size_t last = violation.find_first_not_of("0123456789", first);
    if (last != first) return violation.substr(first, last == std::string::npos ? last : last - first);
  }
  return "";
}

// Lines about that job, and about processes.
std::vector<std::string> Relevant(const RunReport& report) {
  const std::string job = JobOf(report.violations.empty() ? "" : report.violations.front());
  std::vector<std::string> lines;
  for (const std::string& line : report.trace) {
    const bool about_records = line.find("disk ") != std::string::npos || line.find("job=") != std::string::npos ||
                               line.find("cancels in") != std::string::npos ||
                               line.find("retries in") != std::string::npos;
    const std::string padded = line + " ";
    const bool about_job = padded.find(" " + job + ".") != std::string::npos ||
                           padded.find(" " + job + " ") != std::string::npos ||
                           padded.find("job=" + job + " ") != std::string::npos;
    if (job.empty() || !about_records || about_job) lines.push_back(line);
  }
  return lines;
}

void Explain(std::uint64_t seed) {
  const RunReport report = Shorten(seed);
  std::printf("seed %llu, commit %s, faults needed: %s\n", static_cast<unsigned long long>(seed),
              std::getenv("ICARUS_COMMIT") != nullptr ? std::getenv("ICARUS_COMMIT") : "unknown", report.plan.c_str());
  for (const std::string& violation : report.violations) std::printf("  violation: %s\n", violation.c_str());
  const std::vector<std::string> lines = Relevant(report);
  for (std::size_t i = lines.size() - std::min<std::size_t>(lines.size(), 60); i < lines.size(); ++i) {
    std::printf("  %s\n", lines[i].c_str());
  }
}

int Main(const Arguments& arguments) {
  std::signal(SIGABRT, OnAbort);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t steps = 0, faults = 0, violations = 0, checks = 0, tasks = 0, ran = 0;
  std::uint64_t hash = 0;
  for (std::uint64_t i = 0; i < arguments.seeds && violations < arguments.stop_after; ++i) {
    const std::uint64_t seed = running_seed = arguments.first + i;
    const RunReport report = Run({seed, 0, false});
    ++ran;
    steps += report.steps;
    faults += report.faults;
    checks += report.checks;
    tasks += report.tasks;
    hash = hash * 0x100000001b3ULL ^ report.hash;
    violations += report.violations.empty() ? 0u : 1u;
    if (!report.violations.empty()) Explain(seed);
  }
  if (arguments.trace) {
    for (const std::string& line : Run({arguments.first, 0, true}).trace) std::printf("%s\n", line.c_str());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("hash %016llx\n", static_cast<unsigned long long>(hash));
  std::printf("%llu seeds, %llu steps, %llu tasks, %llu faults, %llu checks, %llu violations, %.1f seconds\n",
              static_cast<unsigned long long>(ran), static_cast<unsigned long long>(steps),
              static_cast<unsigned long long>(tasks), static_cast<unsigned long long>(faults),
              static_cast<unsigned long long>(checks), static_cast<unsigned long long>(violations), seconds);
  return violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace icarus::sim

int main(int argc, char** argv) {
  icarus::sim::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--trace") {
      arguments.trace = true;
    } else if (option == "--seeds" && has_value) {
      arguments.seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--first-seed" && has_value) {
      arguments.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--stop-after" && has_value) {
      arguments.stop_after = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "icarus-sim: unknown option '%s'\n", option.c_str());
      return 2;
    }
  }
  return icarus::sim::Main(arguments);
}
