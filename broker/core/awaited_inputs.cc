// Inputs of commands that are outputs of other tasks: the job waits until those tasks have ended, and takes from their
// results what the files are.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "common/protocol/result_codec.h"

namespace icarus::broker {
namespace {

const AwaitedInput* NextAwaited(const JobSpec& spec) {
  if (!spec.command) return nullptr;
  for (const AwaitedInput& awaited : spec.command->awaited) {
    if (spec.command->inputs[awaited.input].hash == ContentHash()) return &awaited;
  }
  return nullptr;
}

std::string NameOf(const AwaitedInput& awaited) { return "task " + FormatTask({awaited.job, awaited.index}); }

Result<FileRef> FindOutput(const AwaitedInput& awaited, const std::optional<TaskRecord>& record, const Body& body) {
  const std::string name = NameOf(awaited) + ", whose file '" + awaited.path + "' is an input, ";
  if (!record || !IsFinal(record->state)) return IoError(name + "has no result that can be read");
  if (record->state != TaskState::kCompleted)
    return IoError(name + "ended as " + std::string(StateName(record->state)));
  if (body != nullptr) {
    ICARUS_ASSIGN(ResultBody result, DecodeResultBody(*body));
    for (FileRef& file : result.files) {
      if (file.name == awaited.path) return std::move(file);
    }
  }
  return IoError(name + "has no such output file; 'icarus get " + FormatTask({awaited.job, awaited.index}) +
                 " --list' names those there are");
}

}  // namespace

Status BrokerCore::CheckAwaited(const Caller& caller, const JobSpec& spec) {
  if (!spec.command) return {};
  for (const AwaitedInput& awaited : spec.command->awaited) {
    auto found = FindJob(caller, awaited.job);
    if (found && awaited.index < (*found)->total()) continue;
    Error error = found ? Error::Make(ErrorCode::kNotFound, "there is no " + NameOf(awaited)) : found.error();
    error.field = "input";
    return error;
  }
  return {};
}

// Whether there is one that has not ended.
bool BrokerCore::HasOpenInput(const AwaitedInput& awaited) const {
  const auto upstream = jobs_.find(awaited.job);
  if (upstream == jobs_.end() || upstream->second->tasks_released()) return false;
  return !IsFinal(upstream->second->StateOf(awaited.index));
}

// False when every input is known.
bool BrokerCore::AskForInput(Job& job, Outbox& out) {
  const AwaitedInput* awaited = NextAwaited(job.spec());
  if (awaited == nullptr) return false;
  if (job.reads_input) return true;
  job.reads_input = true;
  PendingRead read{PendingRead::Kind::kInput, 0, {}, awaited->job};
  read.asked = {awaited->index};
  read.dependent = job.id();
  AskStore(std::move(read), out);
  return true;
}

void BrokerCore::TakeInput(const PendingRead& read, const std::optional<TaskRecord>& record, const Body& body, Now now,
                           Outbox& out) {
  const auto found = jobs_.find(read.dependent);
  if (found == jobs_.end()) return;
  Job& job = *found->second;
  job.reads_input = false;
  const AwaitedInput* awaited = NextAwaited(job.spec());
  if (awaited == nullptr || job.finished() || !job.held()) return;
  Result<FileRef> file = FindOutput(*awaited, record, body);
  if (!file) {
    TaskError error;
    error.kind = TaskErrorKind::kDependencyFailed;
    error.message = file.error().message;
    return EndReady(job, TaskState::kFailed, error, now, out);
  }
  file->name = job.spec().command->inputs[awaited->input].name;
  job.SetInput(awaited->input, std::move(*file));
  out.Write(PutJob{job.record()});
  SettleHeldJob(job, now, out);
}

}  // namespace icarus::broker
