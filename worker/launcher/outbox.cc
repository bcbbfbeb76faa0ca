#include "worker/launcher/outbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/files.h"
#include "common/base/unique_fd.h"
#include "common/model/limits.h"
#include "worker/launcher/file_copy.h"

namespace icarus::worker {
namespace {

// Of all files of one attempt that travel inside the result; beyond it even small ones become blobs.
constexpr std::uint64_t kMaxInlineTotal = 2u << 20;
static_assert(kMaxInlineTotal < limits::kMaxResultBytes);

std::string TemporaryPrefix(std::uint64_t attempt) { return ".attempt-" + std::to_string(attempt) + "-"; }

// Of a file that is ours a mode that forbids reading is changed.
Result<UniqueFd> OpenToRead(const std::string& path, bool is_ours, struct stat& info) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == EACCES && is_ours && ::chmod(path.c_str(), 0600) == 0)
    fd.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fstat(fd.get(), &info) != 0) return ErrnoError("cannot read " + path, errno);
  if (!S_ISREG(info.st_mode)) return IoError(path + " is not a regular file");
  return fd;
}

Result<ContentHash> HashFile(int fd) {
  ContentHasher hasher;
  ICARUS_TRY(ReadThrough(fd, [&hasher](std::string_view bytes) -> Status {
    hasher.Update(bytes);
    return {};
  }));
  return hasher.Finish();
}

}  // namespace

Outbox::Outbox(std::string directory, std::uint64_t attempt, Inline inlined)
    : directory_(std::move(directory)), attempt_(attempt), inlined_(inlined) {}

Outbox::~Outbox() {
  for (const auto& path : temporaries_) ::unlink(path.c_str());
}

bool Outbox::FitsInline(std::uint64_t size) const {
  return inlined_ == Inline::kSmall && size <= limits::kInlineFileBytes && inline_bytes_ + size <= kMaxInlineTotal;
}

Result<std::string> Outbox::NewTemporary() {
  if (next_temporary_ == 0) ICARUS_TRY(MakeDirectories(directory_, 0700));
  return *temporaries_.insert(directory_ + "/" + TemporaryPrefix(attempt_) + std::to_string(++next_temporary_)).first;
}

Status Outbox::File(const std::string& path, const ContentHash& hash, std::uint64_t size) {
  ICARUS_TRY(MakeDirectories(directory_, 0700));
  const std::string home = directory_ + "/" + hash.Hex();
  if (::rename(path.c_str(), home.c_str()) != 0) return ErrnoError("cannot move " + path + " to " + home, errno);
  temporaries_.erase(path);
  for (const auto& blob : blobs_) {
    if (blob.hash == hash) return {};
  }
  blobs_.push_back({hash, size, home});
  return {};
}

Result<ContentHash> Outbox::CopyAndFile(int from, std::uint64_t& size) {
  ICARUS_ASSIGN(const std::string temporary, NewTemporary());
  const UniqueFd to(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) return ErrnoError("cannot create " + temporary, errno);
  ICARUS_TRY(CopyFile(from, to.get()));
  ICARUS_ASSIGN(const ContentHash hash, HashFile(to.get()));
  struct stat info {};
  ::fstat(to.get(), &info);
  size = static_cast<std::uint64_t>(info.st_size);
  ICARUS_TRY(File(temporary, hash, size));
  return hash;
}

Result<FileRef> Outbox::AddFile(const std::string& path, std::string name, bool may_take) {
  struct stat info {};
  ICARUS_ASSIGN(const UniqueFd fd, OpenToRead(path, may_take, info));
  FileRef file;
  file.name = std::move(name);
  file.mode = info.st_mode & kPermissionBits;
  file.size = static_cast<std::uint64_t>(info.st_size);
  if (file.size > limits::kMaxOutputFileBytes) {
    return UsageError("the output '" + file.name + "' has " + std::to_string(file.size) +
                      " bytes, more than the limit of " + std::to_string(limits::kMaxOutputFileBytes));
  }
  if (FitsInline(file.size)) {
    ICARUS_ASSIGN(std::string content, ReadFile(path, limits::kInlineFileBytes));
    return AddContent(std::move(content), std::move(file.name), file.mode);
  }
  const bool take = may_take && info.st_nlink == 1;
  if (take) {
    ICARUS_ASSIGN(file.hash, HashFile(fd.get()));
    if (File(path, file.hash, file.size)) return file;  // otherwise it lies on another file system
  }
  ICARUS_ASSIGN(file.hash, CopyAndFile(fd.get(), file.size));
  return file;
}

Result<FileRef> Outbox::AddContent(std::string content, std::string name, std::uint32_t mode) {
  FileRef file;
  file.name = std::move(name);
  file.mode = mode & kPermissionBits;
  file.size = content.size();
  file.hash = HashBytes(content);
  if (FitsInline(file.size)) {
    inline_bytes_ += file.size;
    file.content = std::move(content);
    return file;
  }
  ICARUS_ASSIGN(const std::string temporary, NewTemporary());
  const UniqueFd to(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) return ErrnoError("cannot create " + temporary, errno);
  ICARUS_TRY(WriteFully(to.get(), content));
  ICARUS_TRY(File(temporary, file.hash, file.size));
  return file;
}

Result<FileRef> Outbox::AddTemporary(const std::string& path, const ContentHash& hash, std::uint64_t size,
                                     std::string name) {
  ICARUS_TRY(File(path, hash, size));
  FileRef file;
  file.name = std::move(name);
  file.hash = hash;
  file.size = size;
  return file;
}

void Outbox::RemoveTemporaries(const std::string& directory, std::uint64_t attempt) {
  const std::string prefix = TemporaryPrefix(attempt);
  std::error_code ec;
  for (std::filesystem::directory_iterator it(directory, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().filename().string().compare(0, prefix.size(), prefix) == 0) ::unlink(it->path().c_str());
  }
}

}  // namespace icarus::worker
