#include "worker/launcher/command_attempt.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/model/limits.h"
#include "common/protocol/result_codec.h"
#include "worker/launcher/output_files.h"
#include "worker/launcher/process_setup.h"
#include "worker/launcher/result_size.h"
#include "worker/launcher/scratch.h"

namespace icarus::worker {
namespace {

TaskError InvalidInput(std::string message) {
  return {TaskErrorKind::kInvalidInput, std::move(message), std::nullopt, std::nullopt};
}

TaskError FromErrno(const std::string& what) {
  return {TaskErrorKind::kInternal, ErrnoError(what, errno).message, std::nullopt, std::nullopt};
}

bool MakePipe(UniqueFd& read_end, UniqueFd& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end.Reset(ends[0]);
  write_end.Reset(ends[1]);
  return true;
}

}  // namespace

CommandAttempt::CommandAttempt(const AttemptSpec& spec, const LauncherOptions& options)
    : spec_(spec), options_(options), outbox_(spec.outbox_dir, spec.id) {}

std::string CommandAttempt::RunDirectory() const {
  return spec_.command.cwd ? *spec_.command.cwd : WorkDirectory(spec_.scratch_dir);
}

TaskError CommandAttempt::CheckNames() const {
  for (const auto& pattern : spec_.command.outputs) {
    if (!StaysInside(pattern)) return InvalidInput("the output '" + pattern + "' must be a relative name without ..");
  }
  if (spec_.command.stdin_name && !StaysInside(*spec_.command.stdin_name)) {
    return InvalidInput("the standard input '" + *spec_.command.stdin_name + "' must be the name of an input");
  }
  if (spec_.command.cwd && spec_.command.cwd->substr(0, 1) != "/") {
    return InvalidInput("the directory '" + *spec_.command.cwd + "' must be an absolute path");
  }
  return {};
}

TaskError CommandAttempt::OpenStreams(ProgramStart& start, std::array<UniqueFd, 3>& ends) {
  const auto& name = spec_.command.stdin_name;
  const std::string input = name ? WorkDirectory(spec_.scratch_dir) + "/" + *name : "/dev/null";
  ends[0].Reset(::open(input.c_str(), O_RDONLY | O_CLOEXEC));
  if (!ends[0])
    return InvalidInput(ErrnoError("cannot read the standard input " + name.value_or(input), errno).message);
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    UniqueFd read_end;
    if (!MakePipe(read_end, ends[i + 1])) return FromErrno("cannot create a pipe");
    captures_[i].emplace(std::move(read_end), options_.max_output_bytes, &outbox_, spec_.stream_output);
  }
  start.stdin_fd = ends[0].get();
  start.stdout_fd = ends[1].get();
  start.stderr_fd = ends[2].get();
  return {};
}

StartedProgram CommandAttempt::Start() {
  TaskError error = CheckNames();
  if (error.kind == TaskErrorKind::kNone) error = PlaceInputs(spec_);
  if (error.kind != TaskErrorKind::kNone) return {-1, std::move(error)};
  ProgramStart start{spec_.command.argv, spec_.environment, RunDirectory()};
  std::array<UniqueFd, 3> ends;
  error = OpenStreams(start, ends);
  if (error.kind != TaskErrorKind::kNone) return {-1, std::move(error)};
  return StartProgram(start);
}

TaskError CommandAttempt::JudgeStatus(int status) const {
  const std::string program = spec_.command.argv.empty() ? std::string() : spec_.command.argv.front();
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {TaskErrorKind::kSolverCrashed, program + " was ended by signal " + SignalText(number), std::nullopt,
            number};
  }
  const int code = WEXITSTATUS(status);
  if (code == 0) return {};
  const std::string said = captures_[1] ? captures_[1]->LastLine() : std::string();
  return {TaskErrorKind::kNonzeroExit,
          program + " ended with exit code " + std::to_string(code) + (said.empty() ? "" : ": " + said), code,
          std::nullopt};
}

TaskError CommandAttempt::Judge(const ProgramEnd& end) const {
  TaskError error = end.status ? JudgeStatus(*end.status) : TaskError{};
  if (end.killed) {
    error.kind = TaskErrorKind::kCancelled;
    error.message = "stopped on request";
  } else if (!end.over_memory.empty()) {
    error.kind = TaskErrorKind::kResourceExceeded;
    error.message = end.over_memory;
  }
  return error;
}

void CommandAttempt::CollectStreams(ResultBody& body) {
  constexpr const char* kNames[] = {"stdout", "stderr"};
  std::optional<FileRef>* const places[] = {&body.stdout_file, &body.stderr_file};
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    if (!captures_[i]) continue;
    captures_[i]->ReadToEnd();
    auto file = captures_[i]->Finish(kNames[i]);
    if (file) *places[i] = std::move(*file);
    if (!file) body.warnings.push_back(std::string(kNames[i]) + ": " + file.error().message);
    if (file && !captures_[i]->warning().empty()) {
      body.warnings.push_back(std::string(kNames[i]) + ": " + captures_[i]->warning());
    }
  }
}

std::vector<FileRef> CommandAttempt::CollectKept(Outbox& outbox, bool may_take, std::string& problem) const {
  if (!spec_.command.keep || spec_.command.cwd) return {};
  const std::string directory = WorkDirectory(spec_.scratch_dir);
  CollectedOutputs kept = CollectOutputs(directory, spec_.command.keep->files, may_take, outbox);
  problem = kept.too_much;
  if (problem.empty() && kept.files.size() > limits::kMaxKeptFiles) {
    problem = "--keep matches " + std::to_string(kept.files.size()) + " files, more than the limit of " +
              std::to_string(limits::kMaxKeptFiles);
  }
  if (problem.empty() && !kept.warnings.empty()) problem = kept.warnings.front();
  if (!kept.too_much.empty() || kept.files.size() > limits::kMaxKeptFiles) return {};
  return std::move(kept.files);
}

// Of an attempt that was stopped, or has stopped itself because it was going to be.
void CommandAttempt::KeepFiles(const ProgramEnd& end, ResultBody& body, AttemptFinished& out) {
  if (!end.killed && !end.noticed) return;
  // Apart from the outputs, as one of both is dropped when the attempt turns out to be a success.
  Outbox outbox(spec_.outbox_dir + "/kept", spec_.id, Outbox::Inline::kNothing);
  // Nobody else wants them when it was killed and has no outputs.
  const bool may_take = end.killed && spec_.command.outputs.empty();
  out.kept = CollectKept(outbox, may_take, out.keep_problem);
  out.blobs = outbox.TakeBlobs();
  if (!out.keep_problem.empty()) body.warnings.push_back(out.keep_problem);
}

void CommandAttempt::Finish(const ProgramEnd& end, AttemptFinished& out) {
  ResultBody body;
  CollectStreams(body);
  KeepFiles(end, body, out);
  out.error = Judge(end);
  if (end.status && WIFEXITED(*end.status)) {
    body.summary.emplace("exit_code", Value(static_cast<double>(WEXITSTATUS(*end.status))));
  }
  // What lies in the user's own directory stays there: only copies leave it.
  CollectedOutputs outputs = CollectOutputs(RunDirectory(), spec_.command.outputs, !spec_.command.cwd, outbox_);
  body.files = std::move(outputs.files);
  for (auto& warning : outputs.warnings) body.warnings.push_back(std::move(warning));
  if (out.error.kind == TaskErrorKind::kNone && !outputs.too_much.empty()) {
    out.error = {TaskErrorKind::kResourceExceeded, outputs.too_much, std::nullopt, std::nullopt};
  } else if (out.error.kind == TaskErrorKind::kNone && !outputs.unmatched.empty()) {
    out.error = {
        TaskErrorKind::kOutputMissing,
        "no file matches the output '" + outputs.unmatched.front() + "'" +
            (outputs.unmatched.size() > 1 ? " and " + std::to_string(outputs.unmatched.size() - 1) + " more" : ""),
        std::nullopt, std::nullopt};
  }
  if (out.error.kind != TaskErrorKind::kNone) {
    for (const auto& capture : captures_) {
      if (capture && !capture->Tail().empty()) out.output_tail = capture->Tail();
    }
  }
  out.body = EncodeResultBody(body);
  if (out.error.kind == TaskErrorKind::kNone) {
    out.kept.clear();
    out.keep_problem.clear();
    RemoveFiles(out.blobs);
  }
  for (BlobFile& blob : outbox_.TakeBlobs()) out.blobs.push_back(std::move(blob));
}

}  // namespace icarus::worker
