// The messages of a session are numbered at each end, so that a lost, repeated or overtaken one is seen: a session is
// begun by Hello, which draws its number; whoever misses a message has the session begun anew.
#pragma once

#include <cstdint>

namespace icarus {

// What a header says. Session 0: not numbered; such a message is always taken. Number 0: said about the session from
// outside of it ("I do not know you"); taken as long as it is the present one, so that many such answers to a burst of
// messages begin one new session, not many.
struct MessageStamp {
  std::uint32_t session = 0;
  std::uint32_t number = 0;
};

// One end of one session. Pure; not thread-safe.
class SessionNumbers {
 public:
  // `session` as the peer that says Hello chose it. Both ends count from 1, beginning with Hello and its answer.
  void Begin(std::uint32_t session) { *this = SessionNumbers(session); }
  std::uint32_t session() const { return session_; }

  // Of the next message that is sent.
  MessageStamp Next() { return session_ == 0 ? MessageStamp{} : MessageStamp{session_, ++sent_}; }

  enum class Arrival {
    kNext,  // to be taken
    kOld,   // repeated, overtaken, or of a former session: to be dropped
    kGap,   // one before it is missing: to be dropped, and the session begun anew
  };
  Arrival OnArrival(MessageStamp stamp) {
    if (stamp.session == 0) return Arrival::kNext;
    if (stamp.session != session_) return Arrival::kOld;
    if (stamp.number == 0) return Arrival::kNext;
    if (stamp.number <= received_) return Arrival::kOld;
    if (stamp.number != received_ + 1) return Arrival::kGap;
    ++received_;
    return Arrival::kNext;
  }

  SessionNumbers() = default;

 private:
  explicit SessionNumbers(std::uint32_t session) : session_(session) {}
  std::uint32_t session_ = 0;
  std::uint32_t sent_ = 0;
  std::uint32_t received_ = 0;
};

}  // namespace icarus
