#include "broker/storage/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/files.h"
#include "common/base/unique_fd.h"

namespace icarus::broker {
namespace {
constexpr std::size_t kCopyBytes = 1u << 20;
}  // namespace

Error DiskError(const std::string& what, int error_number) {
  Error error = ErrnoError(what, error_number);
  if (error_number == ENOSPC || error_number == EDQUOT) {
    error.code = ErrorCode::kOverloaded;
    error.retry_after_s = 1;
  }
  return error;
}

Status WriteAt(int fd, const std::string& path, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return DiskError("cannot write " + path, errno);
    offset += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Status SyncDirectory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return ErrnoError("cannot open " + path, errno);
  if (::fsync(fd.get()) != 0) return DiskError("cannot sync " + path, errno);
  return {};
}

Status MakePrivateDirectory(const std::string& path) {
  if (PathExists(path)) return MakeDirectories(path, 0700);  // refuses what is not a directory
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (!parent.empty() && parent != path) ICARUS_TRY(MakePrivateDirectory(parent));
  ICARUS_TRY(MakeDirectories(path, 0700));
  return SyncDirectory(parent.empty() ? "." : parent);
}

Status CopyFile(const std::string& from, const std::string& to) {
  const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return ErrnoError("cannot read " + from, errno);
  const UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return DiskError("cannot write " + to, errno);
  std::string buffer(kCopyBytes, '\0');
  std::uint64_t offset = 0;
  while (true) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read " + from, errno);
    if (got == 0) break;
    ICARUS_TRY(WriteAt(out.get(), to, offset, {buffer.data(), static_cast<std::size_t>(got)}));
    offset += static_cast<std::uint64_t>(got);
  }
  if (::fsync(out.get()) != 0) return DiskError("cannot sync " + to, errno);
  return {};
}

Status LinkOrCopyFile(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  if (errno == EEXIST) return ErrnoError("cannot write " + to, errno);
  return CopyFile(from, to);
}

}  // namespace icarus::broker
