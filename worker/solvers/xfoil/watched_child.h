// One process of XFOIL: started, read, and ended when it hangs or floods.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace icarus::worker {

struct ChildSpec {
  std::string program;    // path
  std::string preload;    // path of the library that is preloaded; empty: none
  std::string directory;  // working directory, absolute, private; holds the file named by `script`
  std::string script;     // its standard input
};

struct WatchdogLimits {
  // Of the process' own CPU time without a byte of output, a thousand times what an iteration takes: how busy the
  // machine is has no part in it.
  std::chrono::milliseconds busy_silence{3000};
  std::chrono::milliseconds idle_silence{60000};  // of wall time without output while it is not stopped
};

struct ChildEnd {
  enum class Kind { kExited, kSignalled, kHung, kFlooded, kNotStarted };
  Kind kind = Kind::kNotStarted;
  int code = 0;         // exit status or signal number
  std::string message;  // of kNotStarted
};

// Runs it to its end in the caller's process group, with a scrubbed environment, no core dump, files up to 64 MiB, and
// killed when the calling thread dies. stdout and stderr go to `on_output` as they come; false ends it as a flood.
ChildEnd RunWatchedChild(const ChildSpec& spec, const WatchdogLimits& limits,
                         const std::function<bool(std::string_view)>& on_output);

}  // namespace icarus::worker
