#include "worker/launcher/frame_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace icarus::worker {
namespace {

struct Header {
  std::uint64_t id;
  std::uint32_t length;
  std::uint32_t type;
};
static_assert(sizeof(Header) == 16);

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kMostReadAtOnce = 16u << 20;  // then the other descriptors have their turn

}  // namespace

FrameChannel::FrameChannel(UniqueFd socket) : socket_(std::move(socket)), closed_(!socket_) {
  const int flags = ::fcntl(socket_.get(), F_GETFL);
  if (flags >= 0) ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
}

void FrameChannel::Queue(FrameType type, std::uint64_t id, std::string_view payload) {
  if (closed_) return;
  const Header header{id, static_cast<std::uint32_t>(payload.size()), static_cast<std::uint32_t>(type)};
  out_.Add({reinterpret_cast<const char*>(&header), sizeof header});
  out_.Add(payload);
}

void FrameChannel::Send(FrameType type, std::uint64_t id, std::string_view payload) {
  Queue(type, id, payload);
  Flush();
}

void FrameChannel::Flush() {
  if (!closed_ && !out_.Flush(socket_.get())) closed_ = true;
  if (closed_) out_.Clear();
}

bool FrameChannel::FlushUntil(Instant deadline) {
  Flush();
  while (wants_write()) {
    const Instant now = MonotonicNow();
    if (now >= deadline) return false;
    pollfd item{socket_.get(), POLLOUT, 0};
    ::poll(&item, 1, PollTimeout(deadline, now));
    Flush();
  }
  return !closed_;
}

void FrameChannel::Receive() {
  std::array<char, kReadBytes> buffer;
  std::size_t total = 0;
  while (!closed_ && total < kMostReadAtOnce) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      closed_ = true;
      return;
    }
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    total += static_cast<std::size_t>(got);
  }
}

std::optional<Frame> FrameChannel::Next() {
  if (in_.size() - taken_ < sizeof(Header)) return std::nullopt;
  Header header{};
  std::memcpy(&header, in_.data() + taken_, sizeof header);
  if (header.length > kMaxFramePayload) {
    closed_ = true;
    return std::nullopt;
  }
  if (in_.size() - taken_ < sizeof(Header) + header.length) return std::nullopt;
  Frame frame{static_cast<FrameType>(header.type), header.id, in_.substr(taken_ + sizeof(Header), header.length)};
  taken_ += sizeof(Header) + header.length;
  if (taken_ == in_.size()) {
    in_.clear();
    taken_ = 0;
  } else if (taken_ > kMostReadAtOnce) {
    in_.erase(0, taken_);
    taken_ = 0;
  }
  return frame;
}

void FrameChannel::Close() {
  socket_.Reset();
  closed_ = true;
  out_.Clear();
}

Result<ChannelPair> MakeChannelPair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return ErrnoError("cannot create a socket", errno);
  return ChannelPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace icarus::worker
