#include "worker/launcher/command_environment.h"

#include <cctype>
#include <cstdlib>

#include "worker/launcher/attempt.h"

namespace icarus::worker {
namespace {

std::string ParameterVariable(const std::string& axis) {
  std::string name = "ICARUS_PARAM_";
  for (const char c : axis) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 && byte < 0x80 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return name;
}

void Overlay(Environment& environment, const Environment& over) {
  for (const auto& [name, value] : over) environment[name] = value;
}

}  // namespace

Environment InheritedEnvironment() {
  Environment environment{{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/"}};
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) environment[name] = value;
  }
  return environment;
}

Environment BuildCommandEnvironment(const CommandEnvironmentInput& input) {
  Environment environment = input.inherited;
  environment["TMPDIR"] = TemporaryDirectory(input.scratch_dir);
  environment["OMP_NUM_THREADS"] = std::to_string(input.cpus);
  Overlay(environment, input.worker);
  Overlay(environment, input.command);
  environment["ICARUS_JOB"] = std::to_string(input.task.job.value);
  environment["ICARUS_TASK"] = FormatTask(input.task);
  environment["ICARUS_INDEX"] = std::to_string(input.task.index);
  environment["ICARUS_ATTEMPT"] = std::to_string(input.attempt);
  environment["ICARUS_CPUS"] = std::to_string(input.cpus);
  for (const auto& [axis, value] : input.axes) environment[ParameterVariable(axis)] = FormatValue(value);
  return environment;
}

}  // namespace icarus::worker
