#include "broker/named_outputs.h"

#include <algorithm>

namespace icarus::broker {
namespace {

bool NameKept(const std::vector<FileRef>& kept, const NameFile& name) {
  return std::all_of(kept.begin(), kept.end(),
                     [&](const FileRef& file) { return !file.IsStored() || name(file.hash); });
}

TaskError FileGone(const ContentHash& file) {
  return {TaskErrorKind::kOutputMissing,
          "a file of its result (" + file.Hex() + ") was sent to the broker, but is not there any more", std::nullopt,
          std::nullopt};
}

void NameResult(ExecutionResult& result, const NameFile& name) {
  if (!result.blobs) return;
  const auto gone = std::find_if_not(result.blobs->begin(), result.blobs->end(), name);
  if (gone == result.blobs->end()) return;
  if (result.outcome == TaskState::kCompleted) {
    result.outcome = TaskState::kCancelled;
    result.error = FileGone(*gone);
  }
  result.body = -1;
  result.cacheable = false;
  result.blobs.reset();
}

}  // namespace

Status NameInputs(const Submit& request, const NameFile& name) {
  if (!request.spec.command) return {};
  for (const FileRef& input : request.spec.command->inputs) {
    if (!input.IsStored() || name(input.hash)) continue;
    return Error::Make(ErrorCode::kNotFound, "the input '" + input.name + "' is not at the broker; send it first",
                       "input");
  }
  return {};
}

void NameOutputs(Results& message, const NameFile& name) {
  for (ExecutionResult& result : message.results) {
    NameResult(result, name);
    if (result.kept && !NameKept(*result.kept, name)) result.kept.reset();
  }
}

void NameSaved(TaskEvents& message, const NameFile& name) {
  if (!message.saved) return;
  std::erase_if(*message.saved, [&](const SavedFiles& saved) { return !NameKept(saved.files, name); });
}

}  // namespace icarus::broker
