#include "common/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/base/random.h"
#include "common/base/unique_fd.h"

namespace icarus {
namespace fs = std::filesystem;

Result<std::string> ReadFile(const std::string& path, std::uint64_t max_bytes) {
  // Without O_NONBLOCK a pipe that nobody writes to would never be open. Reading waits for a writer that is there.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return ErrnoError("cannot read " + path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || ::fcntl(fd.get(), F_SETFL, O_RDONLY) != 0)
    return ErrnoError("cannot read " + path, errno);
  if (S_ISDIR(info.st_mode)) return IoError("cannot read " + path + ": it is a directory");
  std::string content;
  std::string chunk(1 << 16, '\0');
  while (true) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read " + path, errno);
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > max_bytes) {
      return Error::Make(ErrorCode::kUsage, path + " is larger than the limit of " + std::to_string(max_bytes) +
                                                " bytes; name a smaller file");
    }
  }
}

namespace {
Status WriteAll(int fd, const std::string& path, const std::string& content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t put = ::write(fd, content.data() + done, content.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoError("cannot write " + path, errno);
    done += static_cast<std::size_t>(put);
  }
  if (::fsync(fd) != 0) return ErrnoError("cannot sync " + path, errno);
  return {};
}
}  // namespace

Status WriteFileAtomically(const std::string& path, const std::string& content, unsigned mode) {
  const std::string temporary = path + ".tmp-" + RandomHex(4);
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return ErrnoError("cannot write " + temporary, errno);
  const Status written = WriteAll(fd.get(), temporary, content);
  fd.Reset();
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const int rename_errno = errno;
  ::unlink(temporary.c_str());
  if (!written) return written;
  return ErrnoError("cannot rename " + temporary + " to " + path, rename_errno);
}

Status MakeDirectories(const std::string& path, unsigned mode) {
  if (path.empty()) return {};
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) {
    std::error_code ec;
    if (fs::is_directory(path, ec)) return {};
    return IoError("cannot create " + path + ": a file of that name is in the way");
  }
  if (errno == ENOENT) {
    const std::string parent = fs::path(path).parent_path().string();
    if (!parent.empty() && parent != path) {
      ICARUS_TRY(MakeDirectories(parent, mode));
      if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
    }
  }
  return ErrnoError("cannot create " + path, errno);
}

Status RemoveTree(const std::string& path) {
  std::error_code ec;
  fs::remove_all(path, ec);
  if (!ec) return {};
  // A solver may have left directories that it made unwritable.
  std::error_code walk;
  for (fs::recursive_directory_iterator it(path, walk), end; !walk && it != end; it.increment(walk)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) {
      fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
  }
  fs::remove_all(path, ec);
  if (ec) return IoError("cannot remove " + path + ": " + ec.message());
  return {};
}

bool PathExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::string> AbsolutePath(const std::string& path) {
  std::error_code ec;
  auto absolute = fs::absolute(path, ec);
  if (ec) return IoError("cannot resolve " + path + ": " + ec.message());
  return absolute.lexically_normal().string();
}

}  // namespace icarus
