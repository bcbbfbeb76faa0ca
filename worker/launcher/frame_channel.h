// Frames over a local stream socket, without blocking: the worker's, the launcher's, the guardians' and the hosts' way
// to talk.
//
// Both ends are processes of one machine, forked from one program, so integers are in native order. A frame whose
// length is beyond kMaxFramePayload closes the channel. Not thread-safe. Send never fails at once: a lost peer shows in
// closed().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "worker/launcher/deadline.h"
#include "worker/launcher/send_buffer.h"

namespace icarus::worker {

enum class FrameType : std::uint8_t {
  kStart = 1,        // AttemptSpec
  kKill = 2,         // empty
  kStarted = 3,      // AttemptStarted
  kProgress = 4,     // AttemptProgress
  kOutput = 5,       // OutputPiece
  kFinished = 6,     // AttemptFinished
  kOutcome = 7,      // HostOutcome, from a host to its guardian
  kSignal = 8,       // SignalOrder
  kSave = 9,         // SaveOrder
  kSaved = 10,       // AttemptSaved
  kAskValues = 11,   // ValueAsk, from a host, or the guardian of a command, to the worker
  kValues = 12,      // ValueAnswer, back
  kOfferValue = 13,  // ValueOffer, from where kAskValues comes
};

struct Frame {
  FrameType type{};
  std::uint64_t id = 0;  // of the attempt
  std::string payload;
};

inline constexpr std::size_t kMaxFramePayload = 128u << 20;

class FrameChannel {
 public:
  FrameChannel() = default;  // closed
  // Takes the socket and makes it non-blocking.
  explicit FrameChannel(UniqueFd socket);

  // Queues the frame, to be written by the next Flush or Send: what goes out together wakes the peer once.
  void Queue(FrameType type, std::uint64_t id, std::string_view payload);
  // Queues the frame and writes what the socket takes.
  void Send(FrameType type, std::uint64_t id, std::string_view payload);
  // Writes what the socket takes of what is queued.
  void Flush();
  // Waits until everything is written, the peer is gone or the time is over; false for the last two.
  bool FlushUntil(Instant deadline);
  // Reads what is there. Frames that came before the peer's end are still given by Next.
  void Receive();
  std::optional<Frame> Next();

  int fd() const { return socket_.get(); }
  // The peer is gone. The descriptor stays open until Close.
  bool closed() const { return closed_; }
  bool wants_write() const { return !closed_ && out_.unsent_bytes() > 0; }
  std::size_t unsent_bytes() const { return out_.unsent_bytes(); }
  void Close();

 private:
  UniqueFd socket_;
  SendBuffer out_;
  std::string in_;
  std::size_t taken_ = 0;
  bool closed_ = true;
};

struct ChannelPair {
  UniqueFd first;
  UniqueFd second;
};
// Two connected sockets, close-on-exec.
Result<ChannelPair> MakeChannelPair();

}  // namespace icarus::worker
