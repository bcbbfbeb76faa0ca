#include "worker/launcher/file_copy.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace icarus::worker {

Status WriteFully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoError("cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::uint64_t> ReadThrough(int fd, const std::function<Status(std::string_view)>& each) {
  std::vector<char> block(256u << 10);
  std::uint64_t total = 0;
  while (true) {
    const ssize_t got = ::pread(fd, block.data(), block.size(), static_cast<off_t>(total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read", errno);
    if (got == 0) return total;
    ICARUS_TRY(each(std::string_view(block.data(), static_cast<std::size_t>(got))));
    total += static_cast<std::uint64_t>(got);
  }
}

Status CopyFile(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  ICARUS_TRY(ReadThrough(from, [to](std::string_view bytes) { return WriteFully(to, bytes); }));
  return {};
}

}  // namespace icarus::worker
