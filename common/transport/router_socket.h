// RouterSocket: the broker's side. Many peers connect; each message received names its peer, each one sent goes to one.
// Owned and used by one thread. Nothing blocks. Peers are named by ids that ZeroMQ draws a connection: an id is never
// used for a second connection, and says nothing about who the peer is (see Principal and Hello::instance).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/protocol/messages.h"
#include "common/transport/context.h"
#include "common/transport/polled_socket.h"
#include "common/transport/principal.h"

namespace icarus {

struct Incoming {
  std::string peer;
  Principal principal;
  std::uint64_t correlation = 0;  // 0 when the header could not be read
  Result<Message> message;        // kProtocol: malformed or over a limit of limits.h; answer and count it
};

class RouterSocket final : public PolledSocket {
 public:
  // kRefused when an endpoint is in use (a live ipc path is left unharmed, a dead one is replaced), naming it and what
  // to do; kUsage when it is not an endpoint. `send_limit`: messages queued for a peer, in place of the usual. REQUIRES
  // that `context` outlives the socket.
  static Result<std::unique_ptr<RouterSocket>> Bind(TransportContext& context,
                                                    const std::vector<std::string>& endpoints,
                                                    std::optional<int> send_limit = std::nullopt);
  // Returns when its endpoints can be bound again (at most a second later).
  ~RouterSocket();

  // What the endpoints became: a port 0 is the port that was found.
  const std::vector<std::string>& endpoints() const;

  // The next message, or nothing when none waits. At most limits::kMaxParts parts and limits::kMaxMessageBytes of one
  // are kept: the rest of a longer one is dropped and the message is an error.
  std::optional<Incoming> Receive();

  // Success says that the message is queued for that peer, not that it arrives. kOverloaded: the peer's queue is full
  // (it does not read); nothing was sent, and ZeroMQ does not tell when there is room: try again after some
  // milliseconds, or when the peer speaks. kNotFound: the connection is gone. kRefused: over a limit of limits.h.
  // Bodies are not copied: they live until they are sent.
  Status Send(const std::string& peer, const Message& message);

  void* handle() const override;

 private:
  struct Impl;
  explicit RouterSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace icarus
