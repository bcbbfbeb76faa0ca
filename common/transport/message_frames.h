// Messages to and from the parts of a ZeroMQ socket, with the limits of limits.h. The inside of the sockets of this
// folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/protocol/messages.h"

namespace icarus {

struct ReceivedMessage {
  std::string peer;          // routing id, of a router
  std::string peer_address;  // what the transport knows of the other end
  std::uint64_t correlation = 0;
  Result<Message> message;
};

enum class Addressing { kNone, kPeer };  // kPeer: the first part is the routing id

// Reads one whole message without blocking, or nothing when none waits. Keeps no more of it than the limits allow.
std::optional<ReceivedMessage> ReceiveMessage(void* socket, Addressing addressing);

// Sends without blocking and without copying large parts. `peer` is null on a socket without addressing.
Status SendMessage(void* socket, const std::string* peer, const Message& message);

}  // namespace icarus
