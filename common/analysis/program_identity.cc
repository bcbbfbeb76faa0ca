#include "common/analysis/program_identity.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/analysis/command_template.h"

namespace icarus {
namespace {

constexpr std::size_t kShownOfHash = 16;

// Programs that run the program which an argument names; versions behind the name ("python3.11") are left out.
constexpr std::array<std::string_view, 36> kRunners = {
    "ash",  "awk",    "bash",    "bun",     "dash",   "deno", "env",     "fish",  "gawk",    "guile",   "java", "julia",
    "ksh",  "lua",    "mawk",    "mpiexec", "mpirun", "nice", "node",    "nohup", "numactl", "octave",  "perl", "php",
    "pypy", "python", "rscript", "ruby",    "sh",     "srun", "taskset", "tclsh", "time",    "timeout", "wish", "zsh"};

std::string_view LastName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool IsRunner(std::string_view program) {
  std::string name(LastName(program));
  name.erase(name.find_last_not_of("0123456789.-") + 1);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c < 0x80 ? std::tolower(c) : c; });
  return std::find(kRunners.begin(), kRunners.end(), name) != kRunners.end();
}

// The input that a word of the command line names; null: none.
const FileRef* InputNamed(const CommandSpec& command, std::string_view word) {
  while (word.substr(0, 2) == "./") word.remove_prefix(2);
  for (const FileRef& input : command.inputs) {
    if (input.name == word) return &input;
  }
  return nullptr;
}

const FileRef* SentProgram(const CommandSpec& command) {
  const std::string& first = command.argv.front();
  if (const FileRef* sent = InputNamed(command, first)) return sent;
  if (!IsRunner(first)) return nullptr;
  for (std::size_t i = 1; i < command.argv.size(); ++i) {
    if (const FileRef* sent = InputNamed(command, command.argv[i])) return sent;
  }
  return nullptr;
}

// Its words and the names and hashes of its inputs: what identifies it, without what may be large.
CommandSpec Skeleton(const CommandSpec& command) {
  CommandSpec bare;
  bare.argv = command.argv;
  for (const FileRef& input : command.inputs) bare.inputs.push_back({input.name, input.hash, 0, 0, {}});
  return bare;
}

}  // namespace

Result<std::string> ProgramIdentity(const std::string& user, const CommandSpec& command, const ValueMap& axes,
                                    std::uint32_t index, const std::string& target_name) {
  ICARUS_ASSIGN(const CommandSpec task, SubstituteCommand(Skeleton(command), axes, index, target_name));
  if (task.argv.empty()) return UsageError("the command is empty", "command");
  const FileRef* sent = SentProgram(task);
  std::string form = "[";
  for (const std::string& part : {user, task.argv.front(), sent == nullptr ? std::string() : sent->hash.Hex()}) {
    if (form.size() > 1) form += ',';
    AppendCanonicalString(form, part);
  }
  const std::string hash = HashBytes(form + "]").Hex().substr(0, kShownOfHash);
  return user + ":" + std::string(LastName(sent == nullptr ? task.argv.front() : sent->name)) + "+" + hash;
}

}  // namespace icarus
