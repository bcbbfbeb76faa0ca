// BrokerLink: the connection to the broker as the worker uses it: what cannot be sent yet waits here, in order.
// Owned and used by one thread; never blocks but in FlushWithin.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/protocol/messages.h"
#include "common/transport/context.h"
#include "common/transport/dealer_socket.h"
#include "common/transport/poll_loop.h"

namespace icarus::worker {

class BrokerLink {
 public:
  // REQUIRES that both outlive the link.
  BrokerLink(TransportContext& context, PollLoop& loop) : context_(context), loop_(loop) {}
  ~BrokerLink();
  BrokerLink(const BrokerLink&) = delete;
  BrokerLink& operator=(const BrokerLink&) = delete;

  // A new connection; what waited for the old one is dropped. Success does not say that anybody answers.
  Status Connect(const std::string& endpoint);
  // A Hello begins a new session, in which what is sent and received is numbered.
  void Send(Message message);
  // The next message of this session, in order. When one is missing, an (unnumbered) HeartbeatReply that says `known`
  // false stands for what came instead: the session is to be begun anew.
  std::optional<Result<Message>> Receive();
  // Sends what waits, as far as the connection takes it; for when the loop found it writable.
  void Flush();
  // True when nothing waits any more.
  bool FlushWithin(Milliseconds timeout);

 private:
  TransportContext& context_;
  PollLoop& loop_;
  std::unique_ptr<DealerSocket> socket_;
  std::optional<PollLoop::Source> source_;
  std::deque<Message> waiting_;
  SessionNumbers numbers_;
};

}  // namespace icarus::worker
