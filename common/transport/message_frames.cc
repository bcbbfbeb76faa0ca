#include "common/transport/message_frames.h"

#include <atomic>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "common/model/limits.h"
#include "common/protocol/codec.h"

namespace icarus {
namespace {

// Below this a copy costs less than an allocation and an atomic count.
constexpr std::size_t kCopyBelowBytes = 1024;

// --- receiving

std::string_view View(const zmq::message_t& part) { return {static_cast<const char*>(part.data()), part.size()}; }

bool ReceivePart(void* socket, zmq::message_t& part) {
  int rc = 0;
  do {
    rc = zmq_msg_recv(part.handle(), socket, ZMQ_DONTWAIT);
  } while (rc < 0 && zmq_errno() == EINTR);
  return rc >= 0;
}

// Collects the parts of one message and forgets what is over a limit.
class PartCollector {
 public:
  void Add(zmq::message_t& part) {
    ++parts_;
    bytes_ += part.size();
    if (parts_ > limits::kMaxParts || bytes_ > limits::kMaxMessageBytes) {
      bodies_.clear();
      return;
    }
    if (parts_ == 1) {
      header_ = std::move(part);
    } else if (parts_ == 2) {
      map_ = std::move(part);
    } else {
      bodies_.push_back(std::make_shared<const std::string>(View(part)));
    }
  }

  std::string PeerAddress() {
    const char* address = zmq_msg_gets(header_.handle(), "Peer-Address");
    return address == nullptr ? std::string() : std::string(address);
  }

  Result<Message> Decode(std::uint64_t* correlation) && {
    const Status fits = CheckLimits();
    if (fits && parts_ >= 2) return DecodeMessage(View(header_), View(map_), std::move(bodies_), correlation);
    // What was kept of it is no message, but the answer should still reach the request.
    static_cast<void>(DecodeMessage(View(header_), {}, {}, correlation));
    if (!fits) return fits.error();
    return ProtocolError("this is not an Icarus message: it has one part; only programs of Icarus talk here");
  }

 private:
  Status CheckLimits() const {
    if (parts_ > limits::kMaxParts) {
      return ProtocolError("the message has " + std::to_string(parts_) + " parts; the limit is " +
                           std::to_string(limits::kMaxParts));
    }
    if (bytes_ > limits::kMaxMessageBytes) {
      return ProtocolError("the message has " + std::to_string(bytes_) + " bytes; the limit is " +
                           std::to_string(limits::kMaxMessageBytes));
    }
    return {};
  }

  zmq::message_t header_;
  zmq::message_t map_;
  std::vector<Body> bodies_;
  std::size_t parts_ = 0;
  std::size_t bytes_ = 0;
};

// --- sending

// What keeps the bytes alive goes through ZeroMQ's queue to its I/O thread. The flag says so in terms that the thread
// sanitizer sees: it does not look into the library.
template <class Owner>
struct Lent {
  Owner owner;
  std::atomic<bool> handed_over{false};
};

template <class Owner>
void DeleteOwner(void* /*data*/, void* hint) {
  auto* lent = static_cast<Lent<Owner>*>(hint);
  static_cast<void>(lent->handed_over.load(std::memory_order_acquire));
  delete lent;
}

// A part that shows bytes which `owner` keeps alive; ZeroMQ's I/O thread lets go of it.
template <class Owner>
zmq::message_t BorrowingPart(std::string_view bytes, Owner owner) {
  auto hint = std::make_unique<Lent<Owner>>();
  hint->owner = std::move(owner);
  hint->handed_over.store(true, std::memory_order_release);
  zmq::message_t part(const_cast<char*>(bytes.data()), bytes.size(), &DeleteOwner<Owner>, hint.get());
  static_cast<void>(hint.release());
  return part;
}

zmq::message_t MakePart(const std::string& bytes) { return zmq::message_t(bytes.data(), bytes.size()); }

zmq::message_t MakePart(std::string&& bytes) {
  if (bytes.size() < kCopyBelowBytes) return MakePart(bytes);
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  const std::string_view view = *owner;
  return BorrowingPart<Body>(view, std::move(owner));
}

zmq::message_t MakePart(const Body& body) {
  if (body->size() < kCopyBelowBytes) return MakePart(*body);
  return BorrowingPart<Body>(*body, body);
}

Status CheckSendable(const EncodedMessage& message) {
  const auto refused = [](const std::string& what, std::size_t limit) {
    return Error::Make(ErrorCode::kRefused,
                       "the message cannot be sent: " + what + " is over the limit of " + std::to_string(limit));
  };
  const std::size_t parts = 2 + message.bodies.size();
  if (parts > limits::kMaxParts) return refused(std::to_string(parts) + " parts", limits::kMaxParts);
  std::size_t bytes = message.header.size() + message.map.size();
  std::size_t largest = message.map.size();
  for (const Body& body : message.bodies) {
    bytes += body->size();
    largest = std::max(largest, body->size());
  }
  if (largest > limits::kMaxFrameBytes)
    return refused("a part of " + std::to_string(largest) + " bytes", limits::kMaxFrameBytes);
  if (bytes > limits::kMaxMessageBytes) return refused(std::to_string(bytes) + " bytes", limits::kMaxMessageBytes);
  return {};
}

// Fails only with bad_alloc or zmq::error_t (no memory).
std::vector<zmq::message_t> MakeParts(const std::string* peer, EncodedMessage&& message) {
  std::vector<zmq::message_t> parts;
  parts.reserve(3 + message.bodies.size());
  if (peer != nullptr) parts.push_back(MakePart(*peer));
  parts.push_back(MakePart(std::move(message.header)));
  parts.push_back(MakePart(std::move(message.map)));
  for (const Body& body : message.bodies) parts.push_back(MakePart(body));
  return parts;
}

Error SendError(int error_number) {
  if (error_number == EAGAIN) {
    return Error::Make(ErrorCode::kOverloaded,
                       "the other end is not connected or does not read: its queue takes no more");
  }
  if (error_number == EHOSTUNREACH) return Error::Make(ErrorCode::kNotFound, "the peer is not connected any more");
  return IoError(std::string("cannot send: ") + zmq_strerror(error_number));
}

int SendPart(void* socket, zmq::message_t& part, bool more) {
  const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  int rc = 0;
  do {
    rc = zmq_msg_send(part.handle(), socket, flags);
  } while (rc < 0 && zmq_errno() == EINTR);
  return rc < 0 ? zmq_errno() : 0;
}

// The first part decides. When a connection breaks between the parts ZeroMQ takes back those before and swallows those
// that follow, so they are all handed over nevertheless.
Status SendParts(void* socket, std::vector<zmq::message_t>& parts) {
  int first_error = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int error_number = SendPart(socket, parts[i], i + 1 < parts.size());
    if (error_number == 0 || first_error != 0) continue;
    first_error = error_number;
    if (i == 0) break;
  }
  if (first_error != 0) return SendError(first_error);
  return {};
}

}  // namespace

std::optional<ReceivedMessage> ReceiveMessage(void* socket, Addressing addressing) {
  zmq::message_t part;
  if (!ReceivePart(socket, part)) return std::nullopt;
  ReceivedMessage received{{}, {}, 0, ProtocolError("empty")};
  PartCollector collector;
  bool more = true;
  if (addressing == Addressing::kPeer) {
    received.peer = part.to_string();
    more = part.more() && ReceivePart(socket, part);
  }
  while (more) {
    const bool last = !part.more();
    collector.Add(part);
    more = !last && ReceivePart(socket, part);
  }
  received.peer_address = collector.PeerAddress();
  received.message = std::move(collector).Decode(&received.correlation);
  return received;
}

Status SendMessage(void* socket, const std::string* peer, const Message& message) {
  EncodedMessage encoded = EncodeMessage(message);
  ICARUS_TRY(CheckSendable(encoded));
  try {
    auto parts = MakeParts(peer, std::move(encoded));
    return SendParts(socket, parts);
  } catch (const zmq::error_t& error) {
    return IoError(std::string("cannot send: ") + error.what());
  }
}

}  // namespace icarus
