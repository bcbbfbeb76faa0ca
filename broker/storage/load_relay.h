// LoadRelay: reading a store on two threads: one reads and decodes, the other, which asked for it, is told.
#pragma once

#include <functional>

#include "broker/ports/job_store.h"

namespace icarus::broker {

// Calls read(visitor) on a thread of its own; what that visitor is told, `visitor` is told on this thread, in order.
// Returns what `read` returned, after everything it said has been passed on.
Status ReadAhead(const StoreVisitor& visitor, const std::function<Status(const StoreVisitor&)>& read);

}  // namespace icarus::broker
