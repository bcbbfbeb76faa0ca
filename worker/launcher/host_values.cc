#include "worker/launcher/host_values.h"

#include <poll.h>

#include <utility>

#include "common/model/limits.h"
#include "worker/launcher/launcher_codec.h"

namespace icarus::worker {
namespace {

constexpr Milliseconds kPatience{2000};

}  // namespace

std::optional<std::string> HostValues::AwaitAnswer() {
  const Instant deadline = MonotonicNow() + kPatience;
  while (!channel_.closed()) {
    channel_.Flush();
    channel_.Receive();
    while (auto frame = channel_.Next()) {
      if (frame->type == FrameType::kValues && frame->id == id_) return std::move(frame->payload);
    }
    const Instant now = MonotonicNow();
    if (now >= deadline) break;
    pollfd item{channel_.fd(), static_cast<short>(POLLIN | (channel_.wants_write() ? POLLOUT : 0)), 0};
    ::poll(&item, 1, PollTimeout(deadline, now));
  }
  return std::nullopt;
}

std::vector<std::optional<std::string>> HostValues::Get(const std::vector<std::string>& keys) {
  std::vector<std::optional<std::string>> found(keys.size());
  if (silent_ || keys.empty() || keys.size() > limits::kValueKeys) return found;
  channel_.Send(FrameType::kAskValues, id_, EncodeAsk({id_, keys}));
  const std::optional<std::string> payload = AwaitAnswer();
  silent_ = !payload;
  const auto answer = payload ? DecodeAnswer(*payload) : Result<ValueAnswer>(ValueAnswer{});
  if (!answer || answer->at.size() != keys.size()) return found;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto place = static_cast<std::size_t>(answer->at[i]);
    if (answer->at[i] >= 0 && place < answer->values.size()) found[i] = answer->values[place];
  }
  return found;
}

void HostValues::Put(const std::string& key, std::string value, double compute_s) {
  if (silent_ || key.size() > limits::kValueKeyBytes || value.size() > limits::kMaxResultBytes) return;
  channel_.Send(FrameType::kOfferValue, id_, EncodeOffer({id_, key, std::move(value), compute_s}));
}

}  // namespace icarus::worker
