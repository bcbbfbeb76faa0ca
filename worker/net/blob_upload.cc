#include "worker/net/blob_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/model/limits.h"

namespace icarus::worker {
namespace {
constexpr int kMaxSetbacks = 20;
constexpr int kMaxRounds = 3;
}  // namespace

Result<BlobUpload> BlobUpload::Start(const ContentHash& hash, std::uint64_t size, const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoError("cannot read " + path, errno);
  return BlobUpload(hash, size, std::move(fd), path);
}

Result<std::optional<BlobUpload::Request>> BlobUpload::NextRequest() {
  if (done_ || under_way_ == limits::kChunkWindow || rewind_) return std::optional<Request>();
  if (!located_) {
    if (under_way_ > 0) return std::optional<Request>();
    ++under_way_;
    return std::optional<Request>(Request{BlobPut{hash_, size_, 0}, nullptr});
  }
  if (offset_ >= size_) return std::optional<Request>();
  ICARUS_ASSIGN(std::string chunk, ReadChunk());
  Request request{BlobPut{hash_, size_, offset_}, std::make_shared<const std::string>(std::move(chunk))};
  offset_ += request.body->size();
  ++under_way_;
  return std::optional<Request>(std::move(request));
}

Result<std::string> BlobUpload::ReadChunk() {
  std::string chunk(static_cast<std::size_t>(std::min<std::uint64_t>(limits::kChunkBytes, size_ - offset_)), '\0');
  std::size_t done = 0;
  while (done < chunk.size()) {
    const ssize_t got =
        ::pread(fd_.get(), chunk.data() + done, chunk.size() - done, static_cast<off_t>(offset_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read " + path_, errno);
    if (got == 0) return IoError(path_ + " became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return chunk;
}

Status BlobUpload::OnReply(const BlobPutReply& reply) {
  if (under_way_ > 0) --under_way_;
  if (reply.complete) {
    done_ = true;
    return {};
  }
  if (!located_) {
    located_ = true;
    GoOnFrom(reply.next_offset);
    return located_ ? Status() : CountSetback();
  }
  if (reply.next_offset > reached_) {
    reached_ = reply.next_offset;
    setbacks_ = 0;
  } else {
    rewind_ = true;
  }
  if (under_way_ > 0) return {};
  // All answers are here: if the broker is not where we are, go on from where it is.
  if (!rewind_ && offset_ < size_) return {};
  rewind_ = false;
  GoOnFrom(reply.next_offset);
  return CountSetback();
}

Status BlobUpload::CountSetback() {
  if (++setbacks_ <= kMaxSetbacks) return {};
  return Error::Make(ErrorCode::kInternal, "the broker does not take " + path_);
}

// A broker that has every byte and no file is asked again: it makes the file then, or drops the bytes.
void BlobUpload::GoOnFrom(std::uint64_t offset) {
  offset_ = reached_ = std::min(offset, size_);
  if (offset_ == size_ && size_ > 0) located_ = false;
}

bool BlobUpload::StartOver() {
  Restart();
  return ++rounds_ < kMaxRounds;
}

void BlobUpload::Restart() {
  under_way_ = 0;
  located_ = false;
  rewind_ = false;
}

}  // namespace icarus::worker
