#include "common/transport/endpoint_release.h"

#include <unistd.h>
#include <zmq.h>

#include <array>
#include <chrono>
#include <cstddef>

#include "common/base/random.h"
#include "common/transport/endpoint.h"

namespace icarus {
namespace {

constexpr std::chrono::milliseconds kPatience{1000};
constexpr int kListenerEnded = ZMQ_EVENT_CLOSED | ZMQ_EVENT_CLOSE_FAILED;

// Reads one event, two parts: the number of the event (16 bits) with a value, and the endpoint.
bool AwaitEvent(void* monitor, std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  zmq_pollitem_t item{monitor, 0, ZMQ_POLLIN, 0};
  if (left.count() <= 0 || zmq_poll(&item, 1, static_cast<long>(left.count())) <= 0) return false;
  std::array<char, 256> part{};
  int more = 1;
  while (more != 0) {
    if (zmq_recv(monitor, part.data(), part.size(), ZMQ_DONTWAIT) < 0) return false;
    std::size_t size = sizeof more;
    if (zmq_getsockopt(monitor, ZMQ_RCVMORE, &more, &size) != 0) return false;
  }
  return true;
}

// Before listening ends: afterwards a successor may have bound the path already.
void RemoveIpcPaths(const std::vector<std::string>& endpoints) {
  for (const std::string& text : endpoints) {
    const auto endpoint = ParseEndpoint(text);
    if (endpoint && endpoint->kind == Endpoint::Kind::kIpc) ::unlink(endpoint->path.c_str());
  }
}

void StopListening(void* socket, void* monitor, const std::vector<std::string>& endpoints) {
  std::size_t expected = 0;
  for (const std::string& endpoint : endpoints) {
    if (zmq_unbind(socket, endpoint.c_str()) == 0) ++expected;
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (expected > 0 && AwaitEvent(monitor, deadline)) --expected;
}

}  // namespace

void ReleaseEndpoints(void* context, void* socket, const std::vector<std::string>& endpoints) {
  if (endpoints.empty()) return;
  RemoveIpcPaths(endpoints);
  const std::string address = "inproc://release-" + RandomHex(8);
  if (zmq_socket_monitor(socket, address.c_str(), kListenerEnded) != 0) return;
  void* monitor = zmq_socket(context, ZMQ_PAIR);
  if (monitor != nullptr && zmq_connect(monitor, address.c_str()) == 0) StopListening(socket, monitor, endpoints);
  zmq_socket_monitor(socket, nullptr, 0);
  if (monitor != nullptr) zmq_close(monitor);
}

}  // namespace icarus
