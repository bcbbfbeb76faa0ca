#include "worker/launcher/command_start.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/base/text.h"
#include "worker/launcher/process_setup.h"

namespace icarus::worker {
namespace {

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

TaskError NotStarted(const std::string& program, const std::string& why, int exit_code) {
  return {TaskErrorKind::kInvalidInput, "cannot run '" + program + "': " + why, exit_code, std::nullopt};
}

struct FoundProgram {
  std::string path;
  TaskError error;
};

// 0, or why a program cannot be started from this file.
int WhyNotExecutable(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

std::string Absolute(const std::string& directory, const std::string& path) {
  return path.empty() || path.front() != '/' ? directory + "/" + path : path;
}

FoundProgram FindAlongPath(const std::string& program, const ProgramStart& start) {
  const auto path = start.environment.find("PATH");
  bool seen = false;
  for (const auto& place : Split(path == start.environment.end() ? kDefaultPath : path->second, ':')) {
    const std::string candidate = Absolute(start.directory, place) + "/" + program;
    const int why = WhyNotExecutable(candidate);
    if (why == 0) return {candidate, {}};
    seen = seen || why == EACCES;
  }
  if (seen) return {{}, NotStarted(program, "it is not executable", kNotExecutable)};
  return {{}, NotStarted(program, "no such program in PATH", kNotFound)};
}

FoundProgram FindProgram(const ProgramStart& start) {
  if (start.argv.empty() || start.argv.front().empty()) {
    return {{}, NotStarted("", "the command is empty", kNotFound)};
  }
  const std::string& program = start.argv.front();
  if (program.find('/') == std::string::npos) return FindAlongPath(program, start);
  const std::string path = Absolute(start.directory, program);
  const int why = WhyNotExecutable(path);
  if (why == 0) return {path, {}};
  const bool missing = why == ENOENT || why == ENOTDIR;
  return {{}, NotStarted(program, std::strerror(why), missing ? kNotFound : kNotExecutable)};
}

// All that the child needs, made before it exists: it shares our memory until it runs the program and may not allocate.
struct ExecImage {
  std::string path;
  std::vector<char*> argv;
  std::vector<char*> script_argv;  // for a script without "#!", as execvp does
  std::vector<std::string> variables;
  std::vector<char*> envp;
};

void BuildImage(const ProgramStart& start, std::string path, ExecImage& image) {
  image.path = std::move(path);
  for (const auto& argument : start.argv) image.argv.push_back(const_cast<char*>(argument.c_str()));
  image.script_argv = {const_cast<char*>("/bin/sh"), image.path.data()};
  image.script_argv.insert(image.script_argv.end(), image.argv.begin() + 1, image.argv.end());
  image.argv.push_back(nullptr);
  image.script_argv.push_back(nullptr);
  image.variables.reserve(start.environment.size());
  for (const auto& [name, value] : start.environment) image.variables.push_back(name + "=" + value);
  for (auto& variable : image.variables) image.envp.push_back(variable.data());
  image.envp.push_back(nullptr);
}

// What went wrong in the child, written while it still shares our memory.
struct ExecFailure {
  volatile int error_number = 0;
  volatile bool in_directory = false;
};

[[noreturn]] void RunChild(const ProgramStart& start, const ExecImage& image, pid_t parent, ExecFailure& failure) {
  ::setpgid(0, 0);
  DieWithParent(parent);
  ::dup2(start.stdin_fd, STDIN_FILENO);
  ::dup2(start.stdout_fd, STDOUT_FILENO);
  ::dup2(start.stderr_fd, STDERR_FILENO);
  if (::chdir(start.directory.c_str()) != 0) {
    failure.error_number = errno;
    failure.in_directory = true;
    ::_exit(kNotFound);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // dispositions are the default ones: we have no handlers
  ::execve(image.path.c_str(), image.argv.data(), image.envp.data());
  if (errno == ENOEXEC) ::execve("/bin/sh", image.script_argv.data(), image.envp.data());
  failure.error_number = errno;
  ::_exit(kNotExecutable);
}

// Apart from the rest: a function that calls vfork keeps no locals whose registers the child could disturb.
[[gnu::noinline]] pid_t ForkAndExec(const ProgramStart& start, const ExecImage& image, ExecFailure& failure) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::vfork();
  if (pid == 0) RunChild(start, image, parent, failure);
  return pid;
}

TaskError DescribeFailure(const ProgramStart& start, const ExecFailure& failure) {
  const int number = failure.error_number;
  if (failure.in_directory) {
    return {TaskErrorKind::kInvalidInput,
            "cannot enter the directory " + start.directory + ": " + std::strerror(number), kNotExecutable,
            std::nullopt};
  }
  const std::string why = number == ENOENT ? "its interpreter does not exist" : std::strerror(number);
  return NotStarted(start.argv.front(), why, kNotExecutable);
}

}  // namespace

StartedProgram StartProgram(const ProgramStart& start) {
  FoundProgram found = FindProgram(start);
  if (found.error.kind != TaskErrorKind::kNone) return {-1, std::move(found.error)};
  ExecImage image;
  BuildImage(start, std::move(found.path), image);
  ExecFailure failure;
  const pid_t pid = ForkAndExec(start, image, failure);
  if (pid < 0) {
    return {-1, {TaskErrorKind::kInternal, ErrnoError("cannot start a process", errno).message, {}, {}}};
  }
  if (failure.error_number != 0) {
    ::waitpid(pid, nullptr, 0);  // it ends at once
    return {-1, DescribeFailure(start, failure)};
  }
  return {pid, {}};
}

}  // namespace icarus::worker
