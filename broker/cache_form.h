// What the canonical form of an entry that came from elsewhere says.
#pragma once

#include "common/protocol/cache_messages.h"

namespace icarus::broker {

// Whether the entry's form is that of a result of the analysis and the build of the solver that the entry names.
bool IsFormOf(const CachedItem& item);

}  // namespace icarus::broker
