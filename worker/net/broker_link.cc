#include "worker/net/broker_link.h"

#include <algorithm>

#include "common/base/logging.h"

namespace icarus::worker {

BrokerLink::~BrokerLink() {
  if (source_) loop_.Remove(*source_);
}

Status BrokerLink::Connect(const std::string& endpoint) {
  waiting_.clear();
  if (socket_) {
    ICARUS_TRY(socket_->Reconnect(endpoint));
  } else {
    ICARUS_ASSIGN(socket_, DealerSocket::Connect(context_, endpoint));
    source_ = loop_.Add(*socket_);
  }
  loop_.SetEvents(*source_, PollLoop::kReadable);
  return {};
}

void BrokerLink::Send(Message message) {
  if (!socket_) return;
  if (message.payload.is<Hello>()) numbers_.Begin(numbers_.session() + 1);
  message.stamp = numbers_.Next();
  waiting_.push_back(std::move(message));
  Flush();
}

void BrokerLink::Flush() {
  if (!socket_) return;
  while (!waiting_.empty()) {
    const Status sent = socket_->Send(waiting_.front());
    if (!sent && sent.error().code == ErrorCode::kOverloaded) break;
    if (!sent) LogError("message to the broker dropped", {{"why", sent.error().message}});
    waiting_.pop_front();
  }
  loop_.SetEvents(*source_, waiting_.empty() ? PollLoop::kReadable : PollLoop::kReadable | PollLoop::kWritable);
}

bool BrokerLink::FlushWithin(Milliseconds timeout) {
  const std::int64_t until = ReadClocks().monotonic_ms() + timeout.count();
  Flush();
  while (socket_ && !waiting_.empty()) {
    const std::int64_t left = until - ReadClocks().monotonic_ms();
    if (left <= 0) return false;
    const Result<bool> writable = socket_->WaitWritable(Milliseconds(left));
    if (!writable) return false;
    Flush();
  }
  return true;
}

std::optional<Result<Message>> BrokerLink::Receive() {
  while (socket_) {
    auto received = socket_->Receive();
    if (!received || !*received) return received;
    switch (numbers_.OnArrival((*received)->stamp)) {
      case SessionNumbers::Arrival::kNext: return received;
      case SessionNumbers::Arrival::kOld: continue;
      case SessionNumbers::Arrival::kGap: return Result<Message>(Message{0, HeartbeatReply{false, false}, {}});
    }
  }
  return std::nullopt;
}

}  // namespace icarus::worker
