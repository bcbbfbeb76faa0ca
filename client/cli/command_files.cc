#include "client/cli/command_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "client/cli/selectors.h"
#include "client/cli/user_file.h"
#include "common/base/files.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDefaultNoticeMs = 10'000;  // of --stop-signal
constexpr std::uint64_t kInlineTotal = 1u << 20;   // what all small inputs together may add to the request

bool IsRegularFile(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string LastName(const std::string& path) {
  fs::path plain = fs::path(path).lexically_normal();
  if (!plain.has_filename()) plain = plain.parent_path();
  if (plain.filename() == "." || plain.filename() == "..") {
    std::error_code ec;
    plain = fs::weakly_canonical(plain, ec);
  }
  return plain.filename().string();
}

// SIG[@D], as the option is written; the names are those of kill(1), with or without SIG, or a number.
Status ReadStopSignal(const std::string& text, KeepSpec& keep) {
  const auto at = text.find('@');
  std::string name = text.substr(0, at);
  if (name.rfind("SIG", 0) == 0) name.erase(0, 3);
  for (int number = 1; number < 32 && keep.stop_signal == 0; ++number) {
    const char* known = ::sigabbrev_np(number);
    if ((known != nullptr && name == known) || name == std::to_string(number)) keep.stop_signal = number;
  }
  if (keep.stop_signal == 0 || keep.stop_signal == SIGKILL || keep.stop_signal == SIGSTOP) {
    return UsageError("--stop-signal '" + text +
                          "': write a signal that a program can handle, USR1 or TERM@2m for "
                          "example",
                      "stop_signal");
  }
  keep.notice_ms = kDefaultNoticeMs;
  if (at == std::string::npos) return {};
  ICARUS_ASSIGN(keep.notice_ms, ParseDurationMs(text.substr(at + 1)));
  return {};
}

Result<std::optional<KeepSpec>> ReadKeep(const SubmitOptions& options) {
  if (options.keep.empty() && options.stop_signal.empty() && !options.keep_every_ms) return std::optional<KeepSpec>();
  KeepSpec keep;
  keep.files = options.keep;
  keep.every_ms = options.keep_every_ms.value_or(0);
  if (!options.stop_signal.empty()) ICARUS_TRY(ReadStopSignal(options.stop_signal, keep));
  return std::optional<KeepSpec>(std::move(keep));
}

class CommandReader {
 public:
  explicit CommandReader(const SubmitOptions& options) : options_(options) {}

  Result<CommandRequest> Read() {
    CommandSpec& command = request_.command;
    command.argv = options_.command;
    command.outputs = options_.outputs;
    if (!options_.cwd.empty()) {
      ICARUS_ASSIGN(command.cwd, AbsolutePath(options_.cwd));
    }
    for (const std::string& text : options_.inputs) {
      ICARUS_ASSIGN(const InputText input, SplitInput(text));
      if (input.task) {
        AddOutput(input);
      } else {
        ICARUS_TRY(AddPath(input.source, input.destination));
      }
    }
    ICARUS_ASSIGN(command.keep, ReadKeep(options_));
    ICARUS_TRY(AddProgram());
    ICARUS_TRY(AddStandardInput());
    ICARUS_TRY(ReadEnvironment());
    return std::move(request_);
  }

 private:
  Status AddPath(const std::string& source, const std::string& destination) {
    std::error_code ec;
    const fs::file_status status = fs::status(source, ec);
    if (status.type() == fs::file_type::not_found) return UsageError("the input " + source + " is not there", "input");
    if (fs::is_regular_file(status)) return AddFile(source, destination);
    if (!fs::is_directory(status))
      return UsageError("the input " + source + " is neither a file nor a directory", "input");
    std::vector<fs::path> files;
    fs::recursive_directory_iterator it(source, fs::directory_options::follow_directory_symlink, ec);
    for (const fs::recursive_directory_iterator end; !ec && it != end; it.increment(ec)) {
      if (it->is_directory(ec)) continue;
      files.push_back(it->path());
      if (files.size() > limits::kMaxInputs) break;
    }
    if (ec) return UsageError("cannot read the input directory " + source + ": " + ec.message(), "input");
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const std::string name = destination + "/" + file.lexically_relative(source).string();
      ICARUS_TRY(AddFile(file.string(), name));
    }
    return {};
  }

  Status AddFile(const std::string& path, const std::string& name) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return UsageError(ErrnoError("cannot read " + path, errno).message, "input");
    if (!S_ISREG(info.st_mode)) return UsageError("the input " + path + " is not a regular file", "input");
    if (request_.command.inputs.size() == limits::kMaxInputs) {
      return UsageError("more than " + std::to_string(limits::kMaxInputs) + " input files (limits.inputs)", "input");
    }
    FileRef file;
    file.name = name;
    file.mode = info.st_mode & 0777;
    file.size = static_cast<std::uint64_t>(info.st_size);
    if (file.size <= limits::kInlineFileBytes && inline_total_ + file.size <= kInlineTotal) {
      ICARUS_ASSIGN(std::string content, ReadUserFile(path, limits::kInlineFileBytes, "input"));
      ICARUS_TRY(PutInline(std::move(file), std::move(content)));
      return {};
    }
    request_.pending.push_back({request_.command.inputs.size(), path, std::nullopt});
    request_.command.inputs.push_back(std::move(file));
    return {};
  }

  void AddOutput(const InputText& input) {
    request_.pending.push_back({request_.command.inputs.size(), input.source, input.task});
    FileRef file;
    file.name = input.destination;
    request_.command.inputs.push_back(std::move(file));
  }

  Status PutInline(FileRef file, std::string content) {
    file.size = content.size();
    file.hash = HashBytes(content);
    inline_total_ += content.size();
    file.content = std::move(content);
    request_.command.inputs.push_back(std::move(file));
    return {};
  }

  Status AddProgram() {
    std::vector<std::string>& argv = request_.command.argv;
    if (argv.empty() || argv[0].find('/') == std::string::npos || !IsRegularFile(argv[0])) return {};
    if (request_.command.cwd) {  // there, a relative name would mean something else
      ICARUS_ASSIGN(argv[0], AbsolutePath(argv[0]));
      return {};
    }
    const std::string name = LastName(argv[0]);
    const auto& inputs = request_.command.inputs;
    const bool sent = std::any_of(inputs.begin(), inputs.end(), [&](const FileRef& file) { return file.name == name; });
    if (!sent) ICARUS_TRY(AddFile(argv[0], name));
    argv[0] = "./" + name;
    return {};
  }

  Status AddStandardInput() {
    if (options_.stdin_file.empty()) return {};
    std::string name = "stdin";
    const auto taken = [&](const FileRef& file) { return file.name == name; };
    while (std::any_of(request_.command.inputs.begin(), request_.command.inputs.end(), taken)) name += "_";
    request_.command.stdin_name = name;
    if (options_.stdin_file != "-" && IsRegularFile(options_.stdin_file)) return AddFile(options_.stdin_file, name);
    ICARUS_ASSIGN(std::string content, ReadUserFile(options_.stdin_file, limits::kMaxTargetBytes * 8, "stdin"));
    FileRef file;
    file.name = name;
    file.mode = 0600;
    return PutInline(std::move(file), std::move(content));
  }

  Status ReadEnvironment() {
    for (const std::string& text : options_.env) {
      const auto equals = text.find('=');
      const std::string name = text.substr(0, equals);
      if (name.empty()) return UsageError("--env '" + text + "' has no name", "env");
      if (equals != std::string::npos) {
        request_.command.env[name] = text.substr(equals + 1);
      } else if (const char* value = std::getenv(name.c_str()); value != nullptr) {
        request_.command.env[name] = value;
      } else {
        return UsageError("--env " + name + ": it is not set here; write " + name + "=VALUE", "env");
      }
    }
    return {};
  }

  const SubmitOptions& options_;
  CommandRequest request_;
  std::uint64_t inline_total_ = 0;
};

}  // namespace

Result<InputText> SplitInput(const std::string& text) {
  const auto equals = text.rfind('=');
  const bool whole = equals == std::string::npos || PathExists(text);
  InputText input;
  const auto colon = text.find(':');
  if (colon != std::string::npos && !PathExists(text)) input.task = ParseTaskRef(text.substr(0, colon));
  input.source = whole ? text : text.substr(0, equals);
  input.destination = whole ? LastName(text) : text.substr(equals + 1);
  if (input.task) input.source.erase(0, colon + 1);
  if (input.task && whole) input.destination = LastName(input.source);
  if (input.source.empty() || input.destination.empty()) {
    return UsageError("--input '" + text + "' is not of the form SRC or SRC=DEST", "input");
  }
  return input;
}

Result<CommandRequest> ReadCommand(const SubmitOptions& options) { return CommandReader(options).Read(); }

}  // namespace icarus::client
