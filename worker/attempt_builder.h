// From a dispatched task to what the launcher runs. Pure but for the paths it is given.
#pragma once

#include <map>
#include <string>

#include "common/base/result.h"
#include "worker/core/effects.h"
#include "worker/launcher/attempt.h"
#include "worker/launcher/command_environment.h"

namespace icarus::worker {

struct AttemptPlace {
  std::string scratch;  // the directories of all attempts
  std::string outbox;
  std::string blobs;
  std::string value_sockets;  // what the paths of the sockets of commands begin with; empty: they get none
  std::int64_t grace_ms = 0;
  Environment inherited;
  Environment configured;                      // the setting worker.env
  std::map<std::string, std::string> solvers;  // name → identity, as the broker has been told
  std::string prologue;  // the setting worker.prologue; shell text run before a command, in the same shell
};

// Where one attempt leaves its large outputs.
std::string OutboxOf(const AttemptPlace& place, AttemptId attempt);

// What separates the intermediate values that attempts of this worker may share from those of others. Never wider than
// the broker's own namespaces: a command shares with the other tasks of its job that run the same program.
std::string ValueSpaceOf(const StartAttempt& start);

// kUsage: the task cannot be run as it is (a placeholder that is not known, a target that is not there).
Result<AttemptSpec> BuildAttempt(const StartAttempt& start, const AttemptPlace& place);

}  // namespace icarus::worker
