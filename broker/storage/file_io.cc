#include "broker/storage/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/files.h"
#include "common/base/unique_fd.h"

namespace icarus::broker {

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

}  // namespace icarus::broker
