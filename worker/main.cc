// icarus-worker: options in, attempts run until it is asked to end.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "common/base/logging.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/model/limits.h"
#include "worker/worker_app.h"

namespace {

using icarus::Result;
using icarus::Status;
using icarus::UsageError;
using icarus::worker::WorkerOptions;

struct Arguments {
  std::string home;
  std::string config;
  std::string log_level = "info";
  bool log_json = false;
  bool probe_solvers = false;
  std::string memory;
  std::string drain;
  std::string time_limit;
  std::string idle_timeout;
  std::vector<std::string> resources;
  std::vector<std::string> labels;
  WorkerOptions options;
};

void Define(CLI::App& app, Arguments& arguments) {
  WorkerOptions& options = arguments.options;
  app.add_option("--home", arguments.home, "directory of locks, scratch and the access file (ICARUS_HOME)")
      ->type_name("DIR");
  app.add_option("--access", options.access_file, "the broker's access file, where it is not the home's")
      ->type_name("FILE");
  app.add_option("--config", arguments.config, "configuration file")->type_name("FILE");
  app.add_option("--name", options.name, "name of this worker, one process each (the host's name)")->type_name("NAME");
  app.add_option("--cpus", options.cpus, "slots: CPUs that tasks may take (all)")
      ->type_name("N")
      ->check(CLI::Range(1, icarus::limits::kMaxCpus));
  app.add_option("--memory", arguments.memory, "memory that tasks may take (all)")->type_name("SIZE");
  app.add_option("--resource", arguments.resources, "a named resource that this worker has; repeat")
      ->type_name("NAME=N");
  app.add_option("--label", arguments.labels, "a label that tasks may require; repeat")->type_name("K=V");
  app.add_option("--scratch", options.scratch, "where attempts run (in the home)")->type_name("DIR");
  app.add_option("--time-limit", arguments.time_limit, "drain and end after this time")->type_name("D");
  app.add_option("--idle-timeout", arguments.idle_timeout, "end when there was nothing to do for so long")
      ->type_name("D");
  app.add_option("--drain", arguments.drain, "how long running tasks may go on after SIGTERM (10 s)")->type_name("D");
  app.add_option("--log-level", arguments.log_level, "debug, info, warning, error or off")->type_name("LEVEL");
  app.add_flag("--log-json", arguments.log_json, "one JSON object a line");
  app.add_option("--ready-fd", options.ready_fd, "write \"ok\" to this descriptor when the broker knows this worker")
      ->type_name("N");
  app.add_flag("--probe-solvers", arguments.probe_solvers, "print what the solvers of this machine are, and end");
  app.set_version_flag("--version", icarus::ProgramVersion("icarus-worker"));
  app.footer("Example: icarus-worker --home ~/icarus-home --name node7 --cpus 8 --label queue=fast");
}

Result<std::pair<std::string, std::string>> SplitPair(const std::string& text, const std::string& flag) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return UsageError(flag + " " + text + ": expected a name, '=' and a value", flag);
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Status ReadPairs(const Arguments& arguments, WorkerOptions& options) {
  for (const std::string& text : arguments.resources) {
    ICARUS_ASSIGN(const auto pair, SplitPair(text, "--resource"));
    const auto count = icarus::ParseInteger(pair.second);
    if (!count || *count < 0) return UsageError("--resource " + text + ": the number is not a whole one", "--resource");
    options.resources[pair.first] = *count;
  }
  for (const std::string& text : arguments.labels) {
    ICARUS_ASSIGN(const auto pair, SplitPair(text, "--label"));
    options.labels[pair.first] = pair.second;
  }
  return {};
}

Result<std::optional<std::int64_t>> ReadDuration(const std::string& text) {
  if (text.empty()) return std::optional<std::int64_t>();
  ICARUS_ASSIGN(const std::int64_t ms, icarus::ParseDurationMs(text));
  return std::optional(ms);
}

Result<int> Run(Arguments& arguments) {
  if (arguments.probe_solvers) {
    icarus::worker::PrintProbedSolvers();
    return 0;
  }
  WorkerOptions& options = arguments.options;
  ICARUS_ASSIGN(const icarus::LogLevel level, icarus::ParseLogLevel(arguments.log_level));
  ICARUS_TRY(icarus::InitLogging({"icarus-worker", level, arguments.log_json, ""}));
  ICARUS_TRY(ReadPairs(arguments, options));
  if (!arguments.memory.empty()) {
    ICARUS_ASSIGN(options.memory_bytes, icarus::ParseSizeBytes(arguments.memory));
  }
  ICARUS_ASSIGN(const auto drain_ms, ReadDuration(arguments.drain));
  options.drain_ms = drain_ms.value_or(options.drain_ms);
  ICARUS_ASSIGN(options.time_limit_ms, ReadDuration(arguments.time_limit));
  ICARUS_ASSIGN(options.idle_timeout_ms, ReadDuration(arguments.idle_timeout));
  options.environment = icarus::ProcessEnvironment();
  ICARUS_ASSIGN(options.home, icarus::ResolveHome(arguments.home, options.environment));
  ICARUS_ASSIGN(options.settings, icarus::LoadSettings(arguments.config, options.environment));
  return icarus::worker::RunWorker(options);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An Icarus worker: runs analyses for the broker of its home.", "icarus-worker");
  Arguments arguments;
  Define(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    std::fprintf(stderr, "icarus-worker: %s; see --help\n", e.what());
    return 2;
  }
  try {
    const Result<int> code = Run(arguments);
    if (code) return *code;
    std::fprintf(stderr, "icarus-worker: %s\n", code.error().message.c_str());
    return icarus::ExitCodeOf(code.error().code);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "icarus-worker: internal error: %s\n", e.what());
    return 70;
  }
}
