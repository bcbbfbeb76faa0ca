// SendBuffer: bytes on their way into a non-blocking stream socket, which takes as much as it likes at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace icarus::worker {

class SendBuffer {
 public:
  void Add(std::string_view bytes) { bytes_.append(bytes); }
  // Writes what the socket takes. False: the peer is gone, and what was left is dropped.
  bool Flush(int socket);
  void Clear();

  std::size_t unsent_bytes() const { return bytes_.size() - sent_; }

 private:
  std::string bytes_;
  std::size_t sent_ = 0;
};

}  // namespace icarus::worker
