// The options of every socket, in one table, set before it binds or connects.
#pragma once

#include <span>

#include "common/base/result.h"

namespace icarus {

enum class SocketRole { kRouter, kDealer };

struct SocketOption {
  int id = 0;  // ZMQ_…
  const char* name = "";
  int router = 0;
  int dealer = 0;
  bool readable = true;  // ZeroMQ gives it back
  bool for_router = true;
  bool for_dealer = true;
  bool wide = false;  // ZeroMQ wants an int64_t
};

std::span<const SocketOption> SocketOptions();

// REQUIRES a fresh socket.
Status ApplySocketOptions(void* socket, SocketRole role);

}  // namespace icarus
