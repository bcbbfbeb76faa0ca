#include "tests/integration/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/check.h"
#include "common/base/files.h"
#include "common/base/text.h"

namespace icarus::testing {

WorkerProcess::WorkerProcess(const Home& home, const std::vector<std::string>& arguments) {
  int ends[2];
  ICARUS_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  ready_.Reset(ends[0]);
  const UniqueFd write_end(ends[1]);
  std::vector<std::string> words = {ICARUS_WORKER, "--home", home.dir, "--ready-fd", std::to_string(ends[1])};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // The directory for its sockets is to go with the home.
  std::vector<std::string> variables = {"TMPDIR=" + home.dir};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (text.rfind("TMPDIR=", 0) != 0 && text.rfind("XDG_RUNTIME_DIR=", 0) != 0) variables.push_back(text);
  }
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  pid_ = ::fork();
  ICARUS_CHECK(pid_ >= 0);
  if (pid_ > 0) return;
  ::fcntl(ends[1], F_SETFD, 0);
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Wait();
}

void WorkerProcess::Signal(int number) const { ::kill(pid_, number); }

void WorkerProcess::Terminate(int drain_ms) const {
  sigval value{};
  value.sival_int = drain_ms;
  ICARUS_CHECK(::sigqueue(pid_, SIGTERM, value) == 0);
}

std::string WorkerProcess::ReadyLine() {
  std::string line;
  char c = 0;
  pollfd wait{ready_.get(), POLLIN, 0};
  while (::poll(&wait, 1, 60'000) == 1 && ::read(ready_.get(), &c, 1) == 1 && c != '\n') line += c;
  return line;
}

int WorkerProcess::Wait(std::chrono::seconds within) {
  if (pid_ < 0) return -1;
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd wait{pidfd.get(), POLLIN, 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(within).count();
  if (::poll(&wait, 1, static_cast<int>(ms)) != 1) return -1;
  int status = 0;
  ICARUS_CHECK(::waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<pid_t> ProcessesWith(const std::string& word) {
  std::vector<pid_t> found;
  std::error_code ec;
  for (std::filesystem::directory_iterator it("/proc", ec), end; !ec && it != end; it.increment(ec)) {
    const auto pid = ParseInteger(it->path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    const auto line = ReadFile(it->path().string() + "/cmdline", 1 << 20);
    if (line && line->find(word) != std::string::npos) found.push_back(static_cast<pid_t>(*pid));
  }
  return found;
}

}  // namespace icarus::testing
