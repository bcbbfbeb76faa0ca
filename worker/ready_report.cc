#include "worker/ready_report.h"

#include <fcntl.h>
#include <unistd.h>

namespace icarus::worker {

ReadyReport::ReadyReport(int fd) : fd_(fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void ReadyReport::Say(const std::string& line) {
  if (!fd_) return;
  const std::string text = line + "\n";
  // Nobody may read any more: SIGPIPE is ignored, and the program goes on as it would.
  [[maybe_unused]] const ssize_t put = ::write(fd_.get(), text.data(), text.size());
  fd_.Reset();
}

}  // namespace icarus::worker
