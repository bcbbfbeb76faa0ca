// The environment of a `command` task: nothing of the worker's own but what is named here.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/model/ids.h"
#include "common/model/value.h"

namespace icarus::worker {

using Environment = std::map<std::string, std::string>;

// The path of the socket at which a command finds intermediate values (value_socket.h). Set by the guardian, and only
// when the socket is there.
inline constexpr const char* kValuesVariable = "ICARUS_VALUES";

struct CommandEnvironmentInput {
  TaskRef task;
  std::uint32_t attempt = 1;
  std::int32_t cpus = 1;
  ValueMap axes;            // what varies from task to task: ICARUS_PARAM_<AXIS>
  std::string scratch_dir;  // of the attempt
  Environment inherited;    // InheritedEnvironment()
  Environment worker;       // the setting worker.env
  Environment command;      // CommandSpec::env
};

// PATH, HOME and, where set, USER, LOGNAME, LANG, LC_ALL and TZ of this process. PATH has a default.
Environment InheritedEnvironment();

// Later ones win: inherited, TMPDIR and OMP_NUM_THREADS, the worker's, the command's, and the facts
// ICARUS_{JOB,TASK,INDEX,ATTEMPT,CPUS,PARAM_…}.
Environment BuildCommandEnvironment(const CommandEnvironmentInput& input);

}  // namespace icarus::worker
