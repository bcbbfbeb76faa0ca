#include "client/cli/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "client/cli/exit_codes.h"
#include "common/base/files.h"
#include "common/base/text.h"
#include "common/transport/signal_fd.h"

namespace icarus::client {
namespace {

constexpr int kReadyFd = 3;

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void BecomeProgram(char* const* argv, const char* directory, int log, int ready) {
  UnblockAllSignals();
  ::setsid();
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::dup2(ready, kReadyFd);
  // Whatever was inherited besides is closed: it would be held open for as long as the program runs.
  ::close_range(kReadyFd + 1, ~0U, 0);
  if (::chdir(directory) != 0) ::_exit(kExitInternal);
  ::execv(argv[0], argv);
  ::_exit(127);
}

// The same file above the numbers that the child gives a meaning: ours may be any when our own streams are closed.
UniqueFd Raised(UniqueFd fd) { return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kReadyFd + 1)); }

Result<std::string> ReadLine(int fd) {
  std::string text;
  std::array<char, 512> buffer{};
  while (text.find('\n') == std::string::npos) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot hear from a program that was started", errno);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text.substr(0, text.find('\n'));
}

// What the program said last on its standard error, when it ended before it could say anything else.
std::string LastLine(const std::string& log_file, std::uint64_t from) {
  std::ifstream log(log_file, std::ios::binary);
  log.seekg(static_cast<std::streamoff>(from));
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!Trim(line).empty()) last = line;
  }
  return last;
}

}  // namespace

Result<std::string> SiblingProgram(const std::string& name) {
  std::error_code ec;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (ec) return IoError("cannot tell where this program is: " + ec.message());
  const std::string path = (self.parent_path() / name).string();
  if (PathExists(path)) return path;
  return Error::Make(ErrorCode::kRefused, path + " is not there; install it beside icarus");
}

Error ErrorOfExit(int exit_code, std::string message) {
  ErrorCode code = ErrorCode::kInternal;
  if (exit_code == kExitUsage) code = ErrorCode::kUsage;
  if (exit_code == kExitUnavailable) code = ErrorCode::kUnavailable;
  if (exit_code == kExitRefused) code = ErrorCode::kRefused;
  if (exit_code == kExitOverloaded) code = ErrorCode::kOverloaded;
  return Error::Make(code, std::move(message));
}

Result<BackgroundProgram> BackgroundProgram::Start(const std::string& program, std::vector<std::string> arguments,
                                                   const std::string& directory, const std::string& log_file) {
  ICARUS_ASSIGN(const std::string path, SiblingProgram(program));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("cannot make a pipe", errno);
  UniqueFd ready_read(ends[0]);
  const UniqueFd ready_write = Raised(UniqueFd(ends[1]));
  UniqueFd log(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return ErrnoError("cannot write " + log_file, errno);
  log = Raised(std::move(log));
  const auto log_start = static_cast<std::uint64_t>(std::max<off_t>(::lseek(log.get(), 0, SEEK_END), 0));
  arguments.insert(arguments.begin(), path);
  arguments.insert(arguments.end(), {"--ready-fd", std::to_string(kReadyFd)});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoError("cannot start " + program, errno);
  if (pid == 0) BecomeProgram(argv.data(), directory.c_str(), log.get(), ready_write.get());
  BackgroundProgram started(program, log_file, pid, std::move(ready_read));
  started.log_start_ = log_start;
  return started;
}

Status BackgroundProgram::WaitReady() {
  ICARUS_ASSIGN(std::string line, ReadLine(ready_.get()));
  if (line == "ok") return {};
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (line.empty()) line = LastLine(log_file_, log_start_);
  if (WIFSIGNALED(status)) line = program_ + " was ended by signal " + std::to_string(WTERMSIG(status));
  if (line.empty()) line = program_ + " did not start";
  if (line.rfind(program_ + ": ", 0) == 0) line.erase(0, program_.size() + 2);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kExitInternal;
  return ErrorOfExit(code, line + "; see " + log_file_);
}

}  // namespace icarus::client
