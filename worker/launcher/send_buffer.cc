#include "worker/launcher/send_buffer.h"

#include <sys/socket.h>

#include <cerrno>

namespace icarus::worker {
namespace {

constexpr std::size_t kWorthMoving = 64u << 10;  // what is behind as much that was sent, to the front
constexpr std::size_t kWorthKeeping = 1u << 20;  // room for the next bytes

}  // namespace

bool SendBuffer::Flush(int socket) {
  while (unsent_bytes() > 0) {
    const ssize_t put = ::send(socket, bytes_.data() + sent_, unsent_bytes(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) break;
    if (put < 0) {
      Clear();
      return false;
    }
    sent_ += static_cast<std::size_t>(put);
  }
  if (unsent_bytes() == 0) {
    Clear();
  } else if (sent_ > kWorthMoving && sent_ > bytes_.size() / 2) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  return true;
}

void SendBuffer::Clear() {
  bytes_.clear();
  if (bytes_.capacity() > kWorthKeeping) bytes_.shrink_to_fit();
  sent_ = 0;
}

}  // namespace icarus::worker
