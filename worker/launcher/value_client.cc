#include "worker/launcher/value_client.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/model/limits.h"

namespace icarus::worker {

ValueClient::ValueClient(UniqueFd socket) : socket_(std::move(socket)), lines_(limits::kValueLineBytes) {}

bool ValueClient::Receive() {
  std::array<char, 64u << 10> buffer;
  std::size_t total = 0;
  while (socket_ && !ended_ && total < kReadAtOnce) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      ended_ = true;
      lines_.Finish();
      break;
    }
    lines_.Add({buffer.data(), static_cast<std::size_t>(got)});
    total += static_cast<std::size_t>(got);
  }
  return total > 0;
}

void ValueClient::Send(std::string_view lines) {
  if (is_deaf_) return;
  answers_.Add(lines);
  Flush();
}

void ValueClient::Flush() {
  if (!is_deaf_ && !answers_.Flush(socket_.get())) is_deaf_ = true;
}

void ValueClient::Close() {
  socket_.Reset();
  answers_.Clear();
  lines_ = LineReader(limits::kValueLineBytes);
  ended_ = is_deaf_ = true;
}

bool ValueClient::is_done() const {
  if (!ended_ || held_bytes() > 0) return false;
  return is_deaf_ || (open_questions == 0 && unread_bytes() == 0);
}

}  // namespace icarus::worker
