// What lies at the path of a unix socket.
#pragma once

#include <string>

#include "common/base/result.h"

namespace icarus {

// Makes the path free to be bound: removes a socket that nobody listens on. kRefused, with nothing changed, when
// somebody does or when the path is something else than a socket. ZeroMQ itself would take the path from a live
// listener.
Status ReleaseStaleSocket(const std::string& path);

}  // namespace icarus
