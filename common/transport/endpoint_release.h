// Giving endpoints back before a socket closes.
#pragma once

#include <string>
#include <vector>

namespace icarus {

// Closing is asynchronous in ZeroMQ, and it leaves the path of an ipc endpoint behind. This removes the paths while
// they are certainly still ours, stops listening, and waits, for a second at most, until every listener has ended.
// REQUIRES a live `socket` that was bound to `endpoints`.
void ReleaseEndpoints(void* context, void* socket, const std::vector<std::string>& endpoints);

}  // namespace icarus
