// Places at which a program can be made to end at once, as by `kill -9`, to prove that nothing is lost there. Nothing
// happens unless ICARUS_CRASH_AT=NAME:N is in the environment: then the Nth passage of NAME (from 1) ends the process
// with kCrashExitCode, without destructors, flushes or messages. For fault runs (scripts/faults), which know the names.
#pragma once

#include <string_view>

namespace icarus {

inline constexpr int kCrashExitCode = 86;

// Any thread.
void CrashPoint(std::string_view name);

}  // namespace icarus
