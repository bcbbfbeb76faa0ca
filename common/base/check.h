// ICARUS_CHECK: what must hold unless the program has a bug. Always on; prints the place and aborts.
#pragma once

namespace icarus {
[[noreturn]] void CheckFailed(const char* expression, const char* file, int line);
}  // namespace icarus

#define ICARUS_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::icarus::CheckFailed(#expression, __FILE__, __LINE__))
