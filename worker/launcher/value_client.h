// ValueClient: the guardian's end of one connection of a program that asks for intermediate values. Never blocks.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/base/unique_fd.h"
#include "worker/launcher/line_reader.h"
#include "worker/launcher/send_buffer.h"

namespace icarus::worker {

class ValueClient {
 public:
  explicit ValueClient(UniqueFd socket);

  int fd() const { return socket_.get(); }
  // Reads what is there, at most kReadAtOnce. Returns false when nothing was there.
  bool Receive();
  std::optional<LineReader::Line> NextLine() { return lines_.Next(); }
  // Queues whole lines and writes what the program takes. One that takes no more is still read to its end: it may have
  // put and gone.
  void Send(std::string_view lines);
  void Flush();
  void Close();  // what it has sent and was not read is lost

  std::size_t held_bytes() const { return lines_.held_bytes(); }        // read, not yet a line
  std::size_t unread_bytes() const { return answers_.unsent_bytes(); }  // answers that it has not taken
  bool ended() const { return ended_; }                                 // it sends no more
  bool is_done() const;                                                 // nothing is left to be done for it

  std::size_t open_questions = 0;  // kept by the owner
  static constexpr std::size_t kReadAtOnce = 256u << 10;

 private:
  UniqueFd socket_;
  LineReader lines_;
  SendBuffer answers_;
  bool ended_ = false;
  bool is_deaf_ = false;  // it takes no answers any more
};

}  // namespace icarus::worker
