#include "common/transport/unix_probe.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/check.h"
#include "common/base/unique_fd.h"

namespace icarus {
namespace {

// 0: somebody listens. Otherwise the errno of connect(2); EAGAIN (a full backlog) counts as listening.
int ConnectErrno(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ICARUS_CHECK(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int rc = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return rc == 0 || errno == EAGAIN ? 0 : errno;
}

}  // namespace

Status ReleaseStaleSocket(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return ErrnoError("cannot listen on " + path, errno);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error::Make(ErrorCode::kRefused,
                       "cannot listen on " + path + ": it is there and is not a socket; remove it");
  }
  const int connect_errno = ConnectErrno(path);
  if (connect_errno == 0) {
    return Error::Make(ErrorCode::kRefused,
                       "cannot listen on " + path + ": another process does; a home has one broker at a time");
  }
  if (connect_errno != ECONNREFUSED) return ErrnoError("cannot listen on " + path, connect_errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("cannot remove the dead socket " + path, errno);
  return {};
}

}  // namespace icarus
