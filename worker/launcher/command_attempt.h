// CommandAttempt: one run of a program, between its scratch directory and its result. The guardian decides when it has
// ended.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "worker/launcher/attempt.h"
#include "worker/launcher/command_start.h"
#include "worker/launcher/launcher_options.h"
#include "worker/launcher/outbox.h"
#include "worker/launcher/output_capture.h"

namespace icarus::worker {

// How an attempt came to its end, as the guardian saw it.
struct ProgramEnd {
  std::optional<int> status;  // of the program, as waitpid gives it
  bool killed = false;        // Kill was asked for
  bool noticed = false;       // it was told that it is going to be stopped
  std::string over_memory;    // the limit was exceeded: a sentence with numbers
};

class CommandAttempt {
 public:
  // `spec` and `options` outlive this object.
  CommandAttempt(const AttemptSpec& spec, const LauncherOptions& options);
  CommandAttempt(const CommandAttempt&) = delete;
  CommandAttempt& operator=(const CommandAttempt&) = delete;

  // Places the inputs and starts the program. REQUIRES that the scratch directory exists.
  StartedProgram Start();

  // stdout and stderr; REQUIRES a successful Start.
  std::array<std::optional<OutputCapture>, 2>& captures() { return captures_; }

  // Copies of the files that the next attempt is to have, as they are now; `problem`: why there are none.
  // With `may_take` the files themselves.
  std::vector<FileRef> CollectKept(Outbox& outbox, bool may_take, std::string& problem) const;

  // The result, once no process is left: error, body and blobs are set. Also of an attempt that failed or was stopped.
  void Finish(const ProgramEnd& end, AttemptFinished& out);

 private:
  TaskError CheckNames() const;
  TaskError OpenStreams(ProgramStart& start, std::array<UniqueFd, 3>& ends);
  std::string RunDirectory() const;
  TaskError Judge(const ProgramEnd& end) const;
  TaskError JudgeStatus(int status) const;
  void CollectStreams(ResultBody& body);
  void KeepFiles(const ProgramEnd& end, ResultBody& body, AttemptFinished& out);

  const AttemptSpec& spec_;
  const LauncherOptions& options_;
  Outbox outbox_;
  std::array<std::optional<OutputCapture>, 2> captures_;
};

}  // namespace icarus::worker
