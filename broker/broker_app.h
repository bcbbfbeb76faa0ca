// The broker as a program: the pure core, its sockets, stores and threads put together.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/home.h"
#include "common/config/settings.h"

namespace icarus::broker {

struct BrokerOptions {
  Home home;
  Settings settings;
  std::vector<std::string> listen;  // tcp://ADDRESS:PORT beside ipc; workers get the next port
  std::string advertise;            // the host name that the access file gives for TCP; empty: this host's
  bool insecure = false;            // TCP without keys, on loopback only
  bool allow_network_store = false;
  int ready_fd = -1;  // gets "ok\n" when the broker serves, or the error
};

// Serves until SIGTERM or SIGINT. An error is why it could not start; a failed disk ends the process at once.
Status RunBroker(const BrokerOptions& options);

}  // namespace icarus::broker
