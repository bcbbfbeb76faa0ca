// DealerSocket: the side of a client or worker. Connects to one broker endpoint and reconnects by itself, with backoff
// and jitter. Owned and used by one thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/protocol/messages.h"
#include "common/transport/context.h"
#include "common/transport/polled_socket.h"

namespace icarus {

class DealerSocket final : public PolledSocket {
 public:
  // Returns before the connection exists: nobody needs to listen yet. kUsage when it is not an endpoint that can be
  // connected to. REQUIRES that `context` outlives the socket.
  static Result<std::unique_ptr<DealerSocket>> Connect(TransportContext& context, const std::string& endpoint);
  ~DealerSocket();

  const std::string& endpoint() const;

  // The next message, or nothing when none waits. Never blocks. Limits as in RouterSocket::Receive.
  std::optional<Result<Message>> Receive();

  // Never blocks. Success says that the message is queued on a live connection; when that breaks, what was not sent yet
  // is dropped, so requests are repeated after a reconnection. kOverloaded: not connected (yet), or the broker does not
  // read: wait with WaitWritable or with PollLoop's kWritable. kRefused: over a limit of limits.h.
  Status Send(const Message& message);

  // Blocks until a message can be sent, for `timeout` at most. False: not yet (also when a signal interrupts).
  Result<bool> WaitWritable(std::chrono::milliseconds timeout);

  // Closes and connects anew, to `endpoint` when it is not empty: after a restart the broker's may be another. What was
  // not sent or received yet is dropped.
  Status Reconnect(const std::string& endpoint = {});

  void* handle() const override;

 private:
  struct Impl;
  explicit DealerSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace icarus
