#include "client/cli/targets.h"

#include "client/cli/user_file.h"
#include "common/analysis/airfoil.h"
#include "common/base/files.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::client {

Result<Target> ReadTarget(TargetKind kind, const std::string& text) {
  if (text.empty()) return UsageError("a target is empty", "target");
  if (kind != TargetKind::kAirfoil) {
    if (text.find_first_of("/.") != std::string::npos && PathExists(text)) {
      return UsageError(
          "the target '" + text + "' is a file, and this analysis takes words; send it with --input " + text, "target");
    }
    return Target{text, ""};
  }
  if (!LooksLikeAirfoilFile(text)) return ParseAirfoilName(text);
  ICARUS_ASSIGN(const std::string content, ReadUserFile(text, limits::kMaxTargetBytes, "target"));
  return ParseAirfoilCoordinates(text, content);
}

Result<std::vector<Target>> ReadTargets(TargetKind kind, const std::vector<std::string>& texts,
                                        const std::string& list_file) {
  std::vector<std::string> words = texts;
  if (!list_file.empty()) {
    ICARUS_ASSIGN(const std::string list, ReadUserFile(list_file, limits::kMaxFrameBytes, "targets"));
    for (const std::string& line : Split(list, '\n')) {
      const std::string_view word = Trim(line);
      if (!word.empty() && word.front() != '#') words.emplace_back(word);
    }
    if (words.size() == texts.size()) return UsageError(list_file + " names no target", "targets");
  }
  if (words.size() > limits::kMaxTargets) {
    return UsageError(
        "more than " + std::to_string(limits::kMaxTargets) + " targets, the limit of one job (limits.targets)",
        "target");
  }
  std::vector<Target> targets;
  for (const std::string& word : words) {
    ICARUS_ASSIGN(Target target, ReadTarget(kind, word));
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace icarus::client
