#include "worker/net/blob_download.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/model/limits.h"

namespace icarus::worker {

Result<BlobDownload> BlobDownload::Start(const ContentHash& hash, std::uint64_t expected_size,
                                         const std::string& path) {
  BlobDownload download(hash, expected_size, path);
  download.temporary_ = path + ".part";
  download.fd_.Reset(::open(download.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!download.fd_) return ErrnoError("cannot write " + download.temporary_, errno);
  return download;
}

BlobDownload::~BlobDownload() {
  if (fd_ && !done_) ::unlink(temporary_.c_str());
}

std::optional<BlobGet> BlobDownload::NextRequest() {
  const bool first = asked_ == 0;
  // Without a size only the first chunk can be asked for: its answer tells the size.
  if (done_ || under_way_ == limits::kChunkWindow || (!first && asked_ >= size_)) return std::nullopt;
  const std::uint64_t left = size_ == 0 ? limits::kChunkBytes : size_ - asked_;
  const BlobGet request{hash_, asked_, std::min<std::uint64_t>(left, limits::kChunkBytes)};
  asked_ += request.length;
  ++under_way_;
  return request;
}

Status BlobDownload::OnData(const BlobData& data, const Body& body) {
  if (under_way_ > 0) --under_way_;
  if (done_ || data.offset < written_) return {};
  if (body == nullptr || data.size > limits::kMaxOutputFileBytes || (size_ != 0 && data.size != size_)) {
    return ProtocolError("the broker's file " + hash_.Hex() + " has another size than it should");
  }
  size_ = data.size;
  early_[data.offset] = body;
  for (auto next = early_.find(written_); next != early_.end(); next = early_.find(written_)) {
    if (next->second->empty() && written_ < size_) return ProtocolError("the broker sent an empty piece of a file");
    ICARUS_TRY(Write(*next->second));
    early_.erase(next);
  }
  return written_ >= size_ ? Finish() : Status();
}

Status BlobDownload::Write(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(fd_.get(), bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoError("cannot write " + temporary_, errno);
    done += static_cast<std::size_t>(put);
  }
  hasher_.Update(bytes);
  written_ += bytes.size();
  return {};
}

Status BlobDownload::Finish() {
  if (hasher_.Finish() != hash_) {
    return Error::Make(ErrorCode::kCorruption, "the file " + hash_.Hex() + " arrived with other content");
  }
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return ErrnoError("cannot rename " + temporary_, errno);
  done_ = true;
  return {};
}

void BlobDownload::Restart() {
  early_.clear();
  under_way_ = 0;
  asked_ = written_;
}

}  // namespace icarus::worker
