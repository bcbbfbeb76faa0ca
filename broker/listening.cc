#include "broker/listening.h"

#include <limits>

#include "common/config/environment.h"
#include "common/transport/endpoint.h"

namespace icarus::broker {

Result<Listening> PlanEndpoints(const BrokerOptions& options) {
  Listening plan;
  ICARUS_ASSIGN(const std::string directory, SocketDirectory(options.home, ProcessEnvironment()));
  plan.clients.push_back("ipc://" + directory + "/client.sock");
  plan.workers.push_back("ipc://" + directory + "/worker.sock");
  for (const std::string& text : options.listen) {
    ICARUS_ASSIGN(Endpoint endpoint, ParseEndpoint(text));
    if (endpoint.kind != Endpoint::Kind::kTcp)
      return UsageError("--listen takes tcp://ADDRESS:PORT, not " + text, "listen");
    if (!options.insecure || !endpoint.IsLocalOnly()) {
      return Error::Make(ErrorCode::kRefused,
                         text + ": without keys a broker listens on TCP only on loopback and with --insecure",
                         "listen");
    }
    if (endpoint.port == std::numeric_limits<std::uint16_t>::max())
      return UsageError("--listen " + text + ": workers get the next port, and there is none; choose a lower one",
                        "listen");
    plan.clients.push_back(endpoint.ToString());
    if (endpoint.port != 0) ++endpoint.port;
    plan.workers.push_back(endpoint.ToString());
  }
  return plan;
}

std::vector<std::string> PlainEndpoints(std::vector<std::string> endpoints) {
  for (std::string& text : endpoints) {
    if (const auto endpoint = ParseEndpoint(text)) text = endpoint->ToString();
  }
  return endpoints;
}

}  // namespace icarus::broker
