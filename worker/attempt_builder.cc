#include "worker/attempt_builder.h"

#include <utility>

#include "common/analysis/command_template.h"
#include "common/analysis/program_identity.h"

namespace icarus::worker {
namespace {

ValueMap AxesOf(const DispatchGroup& group, const DispatchTask& task) {
  ValueMap axes;
  for (const std::string& name : group.axes) {
    if (const auto found = task.params.find(name); found != task.params.end()) axes.insert(*found);
  }
  return axes;
}

Result<Target> TargetOf(const DispatchGroup& group, const DispatchTask& task) {
  if (group.targets.empty()) return Target{};
  if (task.target < group.targets.size()) return group.targets[task.target];
  return UsageError("the task names a target that was not sent", "target");
}

void AddPrologue(CommandSpec& command, const std::string& prologue) {
  if (prologue.empty()) return;
  std::vector<std::string> argv = {"/bin/sh", "-c", prologue + "\nexec \"$@\"", "sh"};
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  command.argv = std::move(argv);
}

Status FillCommand(const StartAttempt& start, const AttemptPlace& place, AttemptSpec& spec) {
  const DispatchGroup& group = *start.group;
  CommandEnvironmentInput input;
  input.axes = AxesOf(group, start.task);
  ICARUS_ASSIGN(spec.command, SubstituteCommand(*group.command, input.axes, start.task.index, spec.target.name));
  if (start.task.kept) spec.kept = *start.task.kept;
  input.task = TaskRef{group.job, start.task.index};
  input.attempt = start.task.attempt;
  input.cpus = group.resources.cpus;
  input.scratch_dir = spec.scratch_dir;
  input.inherited = place.inherited;
  input.worker = place.configured;
  input.command = spec.command.env;
  spec.environment = BuildCommandEnvironment(input);
  if (!place.value_sockets.empty()) spec.values_socket = place.value_sockets + std::to_string(start.attempt.value);
  AddPrologue(spec.command, place.prologue);
  return {};
}

}  // namespace

std::string OutboxOf(const AttemptPlace& place, AttemptId attempt) {
  return place.outbox + "/" + std::to_string(attempt.value);
}

std::string ValueSpaceOf(const StartAttempt& start) {
  const DispatchGroup& group = *start.group;
  if (!group.command) return group.analysis + '\n' + group.solver;
  const Result<Target> target = TargetOf(group, start.task);
  const Result<std::string> program =
      ProgramIdentity("job " + std::to_string(group.job.value), *group.command, AxesOf(group, start.task),
                      start.task.index, target ? target->name : "");
  return group.analysis + '\n' + (program ? *program : FormatTask({group.job, start.task.index}));
}

Result<AttemptSpec> BuildAttempt(const StartAttempt& start, const AttemptPlace& place) {
  const DispatchGroup& group = *start.group;
  AttemptSpec spec;
  spec.id = start.attempt.value;
  spec.kind = group.command ? AttemptKind::kCommand : AttemptKind::kSolver;
  spec.scratch_dir = place.scratch + "/" + std::to_string(start.attempt.value);
  spec.outbox_dir = OutboxOf(place, start.attempt);
  spec.blob_dir = place.blobs;
  spec.memory_limit_bytes = group.resources.memory_bytes;
  spec.grace_ms = place.grace_ms;
  ICARUS_ASSIGN(spec.target, TargetOf(group, start.task));
  if (group.command) {
    ICARUS_TRY(FillCommand(start, place, spec));
  } else {
    spec.solver = group.solver;
    if (const auto known = place.solvers.find(group.solver); known != place.solvers.end()) {
      spec.solver_identity = known->second;
    }
    spec.analysis = group.analysis;
    spec.params = start.task.params;
  }
  return spec;
}

}  // namespace icarus::worker
