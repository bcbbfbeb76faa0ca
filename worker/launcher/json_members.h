// The members of a JSON object as texts: enough to route a message whose payload is the business of others. Nothing is
// built in memory but the texts themselves, and nesting costs no stack, so a hostile line costs what it is long.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace icarus::worker {

using JsonMembers = std::map<std::string, std::string, std::less<>>;

// Each member of the object in `text`, written without spaces. Numbers are spelled as they came, members stay in their
// order. The member `canonical` is written so that equal JSON gives equal text, as in cache keys: names sorted (of a
// name that comes twice the last counts), numbers normalised (1 = 1.0 = 1e0; -0 is 0).
//
// kUsage: it is no JSON object, or nested deeper than limits::kValueNesting, or a whole number of more than 64 bits in
// the canonical member, where it could not be told from its neighbours. The message is short, whatever the text.
Result<JsonMembers> ReadJsonMembers(std::string_view text, std::string_view canonical);

}  // namespace icarus::worker
