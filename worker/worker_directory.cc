#include "worker/worker_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>

#include "common/base/files.h"
#include "common/base/text.h"
#include "common/model/content_hash.h"
#include "common/model/limits.h"

namespace icarus::worker {
namespace {

constexpr std::uint64_t kMaxSmallFile = 4096;

Status CheckName(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (plain && !name.empty() && name.front() != '.' && name.size() <= limits::kMaxNameBytes - 64) return {};
  return UsageError("'" + name + "' cannot be a worker's name: letters, digits, '-', '_' and '.' only", "name");
}

std::string SmallFile(const std::string& path) {
  const Result<std::string> content = ReadFile(path, kMaxSmallFile);
  return content ? std::string(Trim(*content)) : std::string();
}

}  // namespace

Result<WorkerDirectory> WorkerDirectory::Open(const Home& home, const std::string& name, const std::string& scratch) {
  ICARUS_TRY(CheckName(name));
  WorkerDirectory directory(home.worker_dir(name));
  ICARUS_TRY(MakeDirectories(directory.dir_, 0700));
  ICARUS_TRY(directory.Lock(name));
  ICARUS_TRY(directory.Prepare(name, scratch));
  return directory;
}

Status WorkerDirectory::Lock(const std::string& name) {
  const std::string path = dir_ + "/lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return ErrnoError("cannot open " + path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoError("cannot lock " + path, errno);
    return Error::Make(ErrorCode::kRefused,
                       "worker '" + name + "' runs already (process " + SmallFile(path) + "); choose another --name",
                       "name");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return ErrnoError("cannot write " + path, errno);
  }
  lock_ = std::move(fd);
  return {};
}

Status WorkerDirectory::Prepare(const std::string& name, const std::string& scratch) {
  predecessor_ = SmallFile(dir_ + "/instance");
  scratch_ = dir_ + "/scratch";
  if (!scratch.empty()) {
    ICARUS_ASSIGN(const std::string parent, AbsolutePath(scratch));
    scratch_ = parent + "/icarus-" + name + "-" + HashBytes(dir_).Hex().substr(0, 8);
  }
  for (const std::string& path : {scratch_, outbox()}) {
    ICARUS_TRY(RemoveTree(path));
    ICARUS_TRY(MakeDirectories(path, 0700));
  }
  return {};
}

std::string WorkerDirectory::PrepareValueSockets(const std::string& sockets) const {
  const std::string prefix = "v" + HashBytes(dir_).Hex().substr(0, 6) + ".";
  std::error_code ec;
  for (std::filesystem::directory_iterator it(sockets, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().filename().string().rfind(prefix, 0) == 0) ::unlink(it->path().c_str());
  }
  return sockets + "/" + prefix;
}

Status WorkerDirectory::WriteInstance(const std::string& instance) {
  return WriteFileAtomically(dir_ + "/instance", instance + "\n", 0600);
}

void WorkerDirectory::ForgetInstance() { (void)::unlink((dir_ + "/instance").c_str()); }

}  // namespace icarus::worker
