// The release.
#pragma once

#include <string>

namespace icarus {

inline constexpr const char* kVersion = "0.1.0";

// "icarus-broker 0.1.0"
std::string ProgramVersion(const std::string& program);

}  // namespace icarus
