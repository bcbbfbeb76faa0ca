#include "common/transport/socket_options.h"

#include <zmq.h>

#include <array>
#include <cstdint>
#include <string>

#include "common/model/limits.h"

namespace icarus {
namespace {

constexpr int kMaxFrame = static_cast<int>(limits::kMaxFrameBytes);
constexpr SocketOption RouterOnly(int id, const char* name, int value, bool readable) {
  return {id, name, value, 0, readable, true, false, false};
}
constexpr SocketOption DealerOnly(int id, const char* name, int value) {
  return {id, name, 0, value, true, false, true, false};
}
constexpr SocketOption Both(int id, const char* name, int value) {
  return {id, name, value, value, true, true, true, false};
}

// Not here, on purpose: ZMQ_HEARTBEAT_* (libzmq 4.3.4 aborts the process when one times out while the queue is full)
// and ZMQ_ROUTING_ID (a second peer with an id that is taken is ignored, or takes the first one's place).
constexpr std::array kOptions = {
    // Milliseconds that closing waits for what is queued: enough for a goodbye, bounded when the peer is stopped.
    Both(ZMQ_LINGER, "LINGER", 1000),
    // Messages a peer. The protocol's own credit keeps far below; this bounds a peer that does not read.
    Both(ZMQ_SNDHWM, "SNDHWM", 4096),
    Both(ZMQ_RCVHWM, "RCVHWM", 4096),
    // A peer that sends a larger part is disconnected before the part is read.
    SocketOption{ZMQ_MAXMSGSIZE, "MAXMSGSIZE", kMaxFrame, kMaxFrame, true, true, true, true},
    // Milliseconds to greet: a connection that says nothing must not hold a file descriptor.
    Both(ZMQ_HANDSHAKE_IVL, "HANDSHAKE_IVL", 5000),
    // Nothing is queued for a broker that is not there, so nothing stale floods it when it comes.
    DealerOnly(ZMQ_IMMEDIATE, "IMMEDIATE", 1),
    // Milliseconds; doubles up to the maximum, and libzmq adds a random part of the first.
    DealerOnly(ZMQ_RECONNECT_IVL, "RECONNECT_IVL", 100),
    DealerOnly(ZMQ_RECONNECT_IVL_MAX, "RECONNECT_IVL_MAX", 5000),
    // An unroutable message is an error instead of a loss. ZeroMQ does not give this one back.
    RouterOnly(ZMQ_ROUTER_MANDATORY, "ROUTER_MANDATORY", 1, false),
    // Connections that wait to be accepted when a whole cluster reconnects.
    RouterOnly(ZMQ_BACKLOG, "BACKLOG", 4096, true),
    Both(ZMQ_IPV6, "IPV6", 1),
    // Finds peers that vanished, and keeps address translation from forgetting idle ones (seconds).
    Both(ZMQ_TCP_KEEPALIVE, "TCP_KEEPALIVE", 1),
    Both(ZMQ_TCP_KEEPALIVE_IDLE, "TCP_KEEPALIVE_IDLE", 60),
    Both(ZMQ_TCP_KEEPALIVE_INTVL, "TCP_KEEPALIVE_INTVL", 15),
    Both(ZMQ_TCP_KEEPALIVE_CNT, "TCP_KEEPALIVE_CNT", 4),
};

}  // namespace

std::span<const SocketOption> SocketOptions() { return kOptions; }

Status ApplySocketOptions(void* socket, SocketRole role) {
  for (const SocketOption& option : kOptions) {
    if (!(role == SocketRole::kRouter ? option.for_router : option.for_dealer)) continue;
    const int value = role == SocketRole::kRouter ? option.router : option.dealer;
    const std::int64_t wide = value;
    const int rc = option.wide ? zmq_setsockopt(socket, option.id, &wide, sizeof wide)
                               : zmq_setsockopt(socket, option.id, &value, sizeof value);
    if (rc != 0)
      return IoError(std::string("cannot set the socket option ") + option.name + ": " + zmq_strerror(zmq_errno()));
  }
  return {};
}

}  // namespace icarus
