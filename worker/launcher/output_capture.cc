#include "worker/launcher/output_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/model/limits.h"
#include "worker/launcher/file_copy.h"

namespace icarus::worker {
namespace {
constexpr std::size_t kBlock = 64u << 10;
constexpr int kBlocksAtOnce = 16;
constexpr std::size_t kTailBytes = limits::kOutputTailBytes;
constexpr std::size_t kLastLineBytes = 200;
constexpr std::size_t kMaxLiveBytes = 64u << 10;  // not taken in time: the oldest are dropped
constexpr std::uint32_t kMode = 0644;

// Bytes of the UTF-8 sequence that begins at text[at] (RFC 3629, surrogates and overlong forms not looked for); 0: none
// does.
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (first >= 0xF5 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// A program writes any bytes; an error message is text.
std::string Readable(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = SequenceLength(text, at);
    out += length > 0 ? text.substr(at, length) : std::string_view("?");
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}
}  // namespace

OutputCapture::OutputCapture(UniqueFd pipe, std::uint64_t limit, Outbox* outbox, bool live)
    : pipe_(std::move(pipe)), limit_(limit), outbox_(outbox), wants_live_(live) {
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
}

bool OutputCapture::Read() {
  static std::array<char, kBlock> block;  // one thread a process; too large for every capture to have its own
  for (int i = 0; i < kBlocksAtOnce && pipe_; ++i) {
    const ssize_t got = ::read(pipe_.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return i > 0;
    if (got <= 0) {
      pipe_.Reset();
      return i > 0;
    }
    Take(std::string_view(block.data(), static_cast<std::size_t>(got)));
  }
  return true;
}

void OutputCapture::ReadToEnd() {
  while (pipe_ && Read()) {
  }
}

void OutputCapture::Take(std::string_view bytes) {
  seen_ += bytes.size();
  Keep(bytes.substr(0, std::min<std::uint64_t>(bytes.size(), limit_ - kept_)));
  tail_.append(bytes.substr(bytes.size() - std::min(bytes.size(), kTailBytes)));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  if (!wants_live_) return;
  live_.append(bytes);
  if (live_.size() > kMaxLiveBytes) {
    live_offset_ += live_.size() - kMaxLiveBytes;
    live_.erase(0, live_.size() - kMaxLiveBytes);
  }
}

void OutputCapture::Keep(std::string_view bytes) {
  if (bytes.empty()) return;
  kept_ += bytes.size();
  if (!spill_) {
    memory_.append(bytes);
    if (memory_.size() <= limits::kInlineFileBytes || !warning_.empty()) return;
    const Status spilled = Spill();
    if (!spilled) warning_ = "output was kept in part only: " + spilled.error().message;
    if (!spilled) limit_ = kept_;
    return;
  }
  hasher_.Update(bytes);
  const Status written = WriteFully(spill_.get(), bytes);
  if (written) return;
  warning_ = "output was lost: " + written.error().message;
  limit_ = kept_;
}

Status OutputCapture::Spill() {
  ICARUS_ASSIGN(spill_path_, outbox_->NewTemporary());
  spill_.Reset(::open(spill_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!spill_) return ErrnoError("cannot create " + spill_path_, errno);
  hasher_.Update(memory_);
  const Status written = WriteFully(spill_.get(), memory_);
  if (!written) spill_.Reset();
  if (written) memory_.clear();
  return written;
}

OutputCapture::LivePiece OutputCapture::TakeLive() {
  LivePiece piece{live_offset_, std::move(live_)};
  live_offset_ += piece.bytes.size();
  live_.clear();
  return piece;
}

Result<std::optional<FileRef>> OutputCapture::Finish(const std::string& name) {
  pipe_.Reset();
  if (seen_ == 0) return std::optional<FileRef>();
  if (spill_ && !warning_.empty()) return IoError(warning_);  // the hash speaks of bytes that the disk did not take
  if (seen_ > kept_ && warning_.empty()) {
    warning_ = "output capped at " + std::to_string(limit_) + " bytes; " + std::to_string(seen_ - kept_) +
               " more were discarded";
  }
  if (!spill_) {
    ICARUS_ASSIGN(FileRef file, outbox_->AddContent(std::move(memory_), name, kMode));
    return std::optional<FileRef>(std::move(file));
  }
  spill_.Reset();
  ICARUS_ASSIGN(FileRef file, outbox_->AddTemporary(spill_path_, hasher_.Finish(), kept_, name));
  return std::optional<FileRef>(std::move(file));
}

std::string OutputCapture::LastLine() const {
  const std::string_view text = Trim(tail_);
  const std::size_t start = text.find_last_of("\r\n");
  const std::string_view line = Trim(start == std::string_view::npos ? text : text.substr(start + 1));
  return Readable(line.substr(0, kLastLineBytes));
}

}  // namespace icarus::worker
