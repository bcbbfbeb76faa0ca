#include "common/base/version.h"

namespace icarus {

std::string ProgramVersion(const std::string& program) { return program + " " + kVersion; }

}  // namespace icarus
