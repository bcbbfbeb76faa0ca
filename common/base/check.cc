#include "common/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace icarus {

void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "icarus: internal error: %s does not hold (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace icarus
