// NAME=VALUE texts of the command line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace icarus::client {

// "a=b=c" is {a, b=c}. `what` names the option in the error: a text without '=' or with nothing before it.
Result<std::pair<std::string, std::string>> SplitAssignment(const std::string& text, const std::string& what);

// Several, each name once.
Result<std::map<std::string, std::string>> ParseAssignments(const std::vector<std::string>& texts,
                                                            const std::string& what);

// "a=1,2,b=3,4" is {a, "1,2"}, {b, "3,4"}: a comma separates where a name and '=' follow it.
Result<std::vector<std::pair<std::string, std::string>>> SplitZip(const std::string& text);

}  // namespace icarus::client
