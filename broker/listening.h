// Where a broker listens.
#pragma once

#include <string>
#include <vector>

#include "broker/broker_app.h"
#include "common/base/result.h"

namespace icarus::broker {

struct Listening {
  std::vector<std::string> clients;
  std::vector<std::string> workers;
};

// The ipc sockets of the home, and for each --listen a TCP port for clients and the next one for workers. kUsage,
// kRefused: one that is not allowed, with the reason.
Result<Listening> PlanEndpoints(const BrokerOptions& options);

// As a user would write them: a dual-stack socket names an IPv4 address otherwise.
std::vector<std::string> PlainEndpoints(std::vector<std::string> endpoints);

}  // namespace icarus::broker
