#include "broker/storage/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/storage/disk_space.h"
#include "common/base/unique_fd.h"

namespace icarus::broker {
namespace {

// All of it is allocated, not only promised by the file's length.
bool IsComplete(const std::string& path, std::uint64_t bytes) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == bytes &&
         static_cast<std::uint64_t>(info.st_blocks) * 512 >= bytes;
}

}  // namespace

DiskReserve::DiskReserve(const std::string& dir, std::uint64_t bytes, std::uint64_t min_free_bytes)
    : dir_(dir),
      path_(dir + "/reserve"),
      bytes_(bytes),
      min_free_bytes_(min_free_bytes),
      held_(bytes == 0 || IsComplete(path_, bytes)) {}

bool DiskReserve::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

void DiskReserve::Review() {
  if (bytes_ == 0) return;
  const std::lock_guard lock(mutex_);
  const auto space = ReadDiskSpace(dir_);
  if (!space) return;
  if (held_ && space->free_bytes < min_free_bytes_) {
    ::unlink(path_.c_str());
    held_ = false;
  } else if (!held_ && space->free_bytes >= min_free_bytes_ + bytes_ + bytes_ / 2) {
    held_ = Make();
  }
}

bool DiskReserve::Make() {
  const UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (fd && ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes_)) == 0) return true;
  ::unlink(path_.c_str());
  return false;
}

}  // namespace icarus::broker
