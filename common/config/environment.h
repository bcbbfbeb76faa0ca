// The process' environment as a value, so that what depends on it can be tested.
#pragma once

#include <map>
#include <string>

namespace icarus {

using Environment = std::map<std::string, std::string>;

// Read once, before threads start.
Environment ProcessEnvironment();

// The value, or "" when the variable is unset.
std::string Lookup(const Environment& environment, const std::string& name);

}  // namespace icarus
