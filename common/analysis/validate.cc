#include "common/analysis/validate.h"

#include <algorithm>
#include <cmath>

#include "common/analysis/airfoil.h"
#include "common/analysis/command_template.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus {
namespace {

std::string Shown(const Value& value) { return "'" + FormatValue(value) + "'"; }

std::string RangeText(const Parameter::Range& range) {
  return FormatNumber(range.first) + " to " + FormatNumber(range.second);
}

Result<Value> CheckNumber(const Parameter& parameter, const std::string& solver, const Value& value) {
  if (!value.is_number() || !std::isfinite(value.number())) {
    return UsageError(parameter.name + " is " + Shown(value) + ", but it must be a number", parameter.name);
  }
  const double number = value.number();
  if (parameter.type == Parameter::Type::kInteger && std::trunc(number) != number) {
    return UsageError(parameter.name + " is " + Shown(value) + ", but it must be a whole number", parameter.name);
  }
  const std::string unit = parameter.unit.empty() ? "" : " " + parameter.unit;
  if (parameter.range && (number < parameter.range->first || number > parameter.range->second)) {
    return UsageError(
        parameter.name + " is " + FormatNumber(number) + ", outside of " + RangeText(*parameter.range) + unit,
        parameter.name);
  }
  const auto narrower = parameter.solver_range.find(solver);
  if (narrower != parameter.solver_range.end() &&
      (number < narrower->second.first || number > narrower->second.second)) {
    return UsageError(parameter.name + " is " + FormatNumber(number) + ", outside of " + RangeText(narrower->second) +
                          unit + " that solver " + solver + " allows",
                      parameter.name);
  }
  return value;
}

Result<Value> CheckNumbers(const Parameter& parameter, const std::string& solver, const Value& value) {
  Value::List list = value.is_list() ? value.list() : Value::List{value};
  if (list.empty()) return UsageError(parameter.name + " is empty", parameter.name);
  if (list.size() > limits::kMaxListValues) {
    return UsageError(parameter.name + " has more than " + std::to_string(limits::kMaxListValues) +
                          " values, the limit of one list (limits.list_values)",
                      parameter.name);
  }
  for (const Value& item : list) {
    if (auto checked = CheckNumber(parameter, solver, item); !checked) return checked;
  }
  std::sort(list.begin(), list.end(), [](const Value& a, const Value& b) { return a.number() < b.number(); });
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return Value(std::move(list));
}

Result<Value> CheckWord(const Parameter& parameter, const Value& value) {
  const std::string word = FormatValue(value);
  if (value.is_list() ||
      std::find(parameter.choices.begin(), parameter.choices.end(), word) == parameter.choices.end()) {
    std::string all;
    for (const std::string& choice : parameter.choices) all += (all.empty() ? "" : ", ") + choice;
    return UsageError(parameter.name + " is " + Shown(value) + ", but it must be one of: " + all, parameter.name);
  }
  return Value(word);
}

Error UnknownParameter(const Manifest& manifest, const std::string& name) {
  std::vector<std::string> names;
  std::string all;
  for (const Parameter& parameter : manifest.parameters) {
    names.push_back(parameter.name);
    all += (all.empty() ? "" : ", ") + parameter.name;
  }
  const auto nearest = Nearest(name, names);
  return UsageError("unknown parameter '" + name + "' of " + manifest.analysis + "; " +
                        (nearest       ? "did you mean '" + *nearest + "'?"
                         : all.empty() ? "it has none"
                                       : "there are: " + all),
                    name);
}

// A rule-made axis needs only its ends checked: it is monotonic, and whole numbers stay whole when both ends and step
// are.
Status CanonicaliseColumn(const Manifest& manifest, const std::string& solver, AxisColumn& column, bool nulls) {
  const Parameter* parameter = manifest.Find(column.name);
  if (parameter == nullptr) {
    if (manifest.open_parameters) return {};
    return UnknownParameter(manifest, column.name);
  }
  ValueSource& source = column.values;
  const bool rule = source.kind != ValueSource::Kind::kList;
  if (rule && parameter->type == Parameter::Type::kNumber && source.count > 0) {
    ICARUS_TRY(CheckNumber(*parameter, solver, source.At(0)).map([](const Value&) {}));
    ICARUS_TRY(CheckNumber(*parameter, solver, source.At(source.count - 1)).map([](const Value&) {}));
    return {};
  }
  if (rule) {
    ValueSource listed;
    for (std::uint32_t i = 0; i < source.count; ++i) listed.list.push_back(source.At(i));
    source = std::move(listed);
  }
  for (Value& value : source.list) {
    if (nulls && value.is_null()) continue;
    ICARUS_ASSIGN(value, CanonicaliseValue(*parameter, solver, value));
  }
  return {};
}

bool Varies(const Sweep& sweep, const std::string& name) {
  const std::vector<std::string> names = sweep.AxisNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status CanonicaliseParameters(const Manifest& manifest, const std::string& solver, Sweep& sweep) {
  for (auto& [name, value] : sweep.base) {
    const Parameter* parameter = manifest.Find(name);
    if (parameter == nullptr && !manifest.open_parameters) return UnknownParameter(manifest, name);
    if (parameter == nullptr) continue;
    ICARUS_ASSIGN(value, CanonicaliseValue(*parameter, solver, value));
  }
  for (Axis& axis : sweep.axes) {
    for (AxisColumn& column : axis.columns) ICARUS_TRY(CanonicaliseColumn(manifest, solver, column, false));
  }
  if (sweep.table) {
    for (AxisColumn& column : sweep.table->columns) ICARUS_TRY(CanonicaliseColumn(manifest, solver, column, true));
  }
  std::vector<std::string> names = sweep.AxisNames();
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return UsageError("the axis '" + *twice + "' is given twice", *twice);
  for (const Parameter& parameter : manifest.parameters) {
    if (sweep.base.contains(parameter.name)) continue;
    if (!parameter.default_value.is_null()) {
      ICARUS_ASSIGN(sweep.base[parameter.name], CanonicaliseValue(parameter, solver, parameter.default_value));
    }
  }
  return {};
}

Status CheckRequired(const Manifest& manifest, const Sweep& sweep) {
  for (const Parameter& parameter : manifest.parameters) {
    if (!parameter.required || sweep.base.contains(parameter.name) || Varies(sweep, parameter.name)) continue;
    if (parameter.not_with) {
      const auto other = sweep.base.find(parameter.not_with->first);
      const bool excused = other != sweep.base.end() && other->second == parameter.not_with->second;
      if (excused || Varies(sweep, parameter.not_with->first)) continue;
    }
    return UsageError(manifest.analysis + " needs the parameter '" + parameter.name + "'; give -p " + parameter.name +
                          "=VALUE or --sweep " + parameter.name + "=VALUES",
                      parameter.name);
  }
  return {};
}

Status CheckTargets(const Manifest& manifest, std::vector<Target>& targets) {
  if (manifest.target == TargetKind::kNone) {
    if (targets.empty()) return {};
    if (manifest.open_parameters) return {};  // a command may be run a target
    return UsageError(manifest.analysis + " takes no target", "target");
  }
  if (targets.empty()) {
    return UsageError(manifest.analysis + " needs a target; give --target naca2412 or --target FILE.dat", "target");
  }
  for (Target& target : targets) {
    if (target.content.empty()) {
      ICARUS_ASSIGN(target, ParseAirfoilName(target.name));
    } else {
      ICARUS_ASSIGN(target, ParseAirfoilCoordinates(target.name, target.content));
    }
  }
  return {};
}

Status CheckName(const std::string& text, const std::string& field) {
  if (text.size() > limits::kMaxNameBytes) {
    return UsageError(field + " is longer than " + std::to_string(limits::kMaxNameBytes) + " bytes (limits.name_bytes)",
                      field);
  }
  return {};
}

Status CheckBounds(const std::string& field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return UsageError(
      field + " is " + std::to_string(value) + ", outside of " + std::to_string(low) + " to " + std::to_string(high),
      field);
}

constexpr std::int64_t kLongestMs = std::int64_t{10} * 365 * 86'400'000;

Status CheckDuration(const std::string& field, std::int64_t ms) {
  if (ms >= 0 && ms <= kLongestMs) return {};
  return UsageError(field + " is " + FormatNumber(static_cast<double>(ms) / 1000) + " s; it may be 0 to 3650d", field);
}

Status CheckOptions(const JobSpec& spec) {
  ICARUS_TRY(CheckBounds("priority", spec.priority, -limits::kMaxPriority, limits::kMaxPriority));
  ICARUS_TRY(CheckBounds("retries", spec.retries, 0, limits::kMaxRetries));
  ICARUS_TRY(CheckBounds("cpus", spec.resources.cpus, 1, limits::kMaxCpus));
  ICARUS_TRY(CheckBounds("memory", spec.resources.memory_bytes, 0, std::int64_t{1} << 50));
  ICARUS_TRY(CheckDuration("timeout", spec.timeout_ms));
  ICARUS_TRY(CheckDuration("queue-timeout", spec.queue_timeout_ms));
  ICARUS_TRY(CheckDuration("deadline", spec.deadline_ms));
  ICARUS_TRY(CheckDuration("ttl", spec.ttl_ms));
  ICARUS_TRY(CheckBounds("max-running", spec.max_running, 0, limits::kMaxTasksPerJob));
  ICARUS_TRY(CheckBounds("max-fails", spec.max_fails, -1, limits::kMaxTasksPerJob));
  for (const auto& [name, count] : spec.resources.named)
    ICARUS_TRY(CheckBounds("resource " + name, count, 1, 1'000'000));
  ICARUS_TRY(CheckName(spec.name, "name"));
  if (spec.tags.size() > limits::kMaxTags) {
    return UsageError("more than " + std::to_string(limits::kMaxTags) + " tags (limits.tags)", "tag");
  }
  for (const auto& [key, value] : spec.tags) {
    ICARUS_TRY(CheckName(key, "tag"));
    ICARUS_TRY(CheckName(value, "tag"));
  }
  return {};
}

bool IsSafeRelativePath(const std::string& name) {
  if (name.empty() || name.front() == '/') return false;
  for (const std::string& part : Split(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

Status CheckKeep(const CommandSpec& command, std::int64_t timeout_ms) {
  if (!command.keep) return {};
  const KeepSpec& keep = *command.keep;
  if (!keep.files.empty() && command.cwd) {
    return UsageError("--keep is for files of the task's own directory; those in --cwd stay where they are", "keep");
  }
  for (const std::string& pattern : keep.files) {
    if (IsSafeRelativePath(pattern)) continue;
    return UsageError("the pattern '" + pattern + "' of --keep must stay inside the task's directory", "keep");
  }
  if (keep.every_ms != 0 && (keep.files.empty() || keep.every_ms < limits::kLeastKeepEveryMs)) {
    return UsageError("--keep-every goes with --keep, and is 1s at least (limits.keep_every)", "keep_every");
  }
  const bool can_be_handled = keep.stop_signal > 0 && keep.stop_signal < 32 && keep.stop_signal != 9;
  if (keep.stop_signal != 0 && (!can_be_handled || keep.stop_signal == 19)) {
    return UsageError("signal " + std::to_string(keep.stop_signal) + " cannot be sent as a notice", "stop_signal");
  }
  if (keep.notice_ms < 0 || keep.notice_ms > limits::kLongestNoticeMs) {
    return UsageError("the notice of --stop-signal is 0 to 24h (limits.notice)", "stop_signal");
  }
  if (keep.stop_signal != 0 && timeout_ms > 0 && keep.notice_ms >= timeout_ms) {
    return UsageError(
        "the notice of --stop-signal is as long as --timeout or longer: nothing would run; make it shorter",
        "stop_signal");
  }
  return {};
}

Status CheckCommand(const Manifest& manifest, const JobSpec& spec) {
  if (manifest.analysis != "command") {
    if (!spec.command) return {};
    return UsageError(manifest.analysis + " takes no command line", "command");
  }
  if (!spec.command || spec.command->argv.empty() || spec.command->argv.front().empty()) {
    return UsageError("no command is given; write it after --", "command");
  }
  std::size_t bytes = 0;
  for (const std::string& argument : spec.command->argv) bytes += argument.size() + 1;
  if (spec.command->argv.size() > limits::kMaxArguments || bytes > limits::kMaxArgumentBytes) {
    return UsageError("the command line is too long: at most " + std::to_string(limits::kMaxArguments) +
                          " arguments and " + std::to_string(limits::kMaxArgumentBytes) + " bytes (limits.arguments)",
                      "command");
  }
  if (spec.command->inputs.size() > limits::kMaxInputs) {
    return UsageError("more than " + std::to_string(limits::kMaxInputs) + " input files (limits.inputs)", "input");
  }
  for (const FileRef& input : spec.command->inputs) {
    if (!IsSafeRelativePath(input.name)) {
      return UsageError("the input '" + input.name + "' must be a relative path inside the task's directory", "input");
    }
  }
  ICARUS_TRY(CheckKeep(*spec.command, spec.timeout_ms));
  for (const AwaitedInput& awaited : spec.command->awaited) {
    if (awaited.input < spec.command->inputs.size()) continue;
    return UsageError("an awaited input is none of the job's inputs", "input");
  }
  std::vector<std::string> names = spec.sweep.AxisNames();
  for (const auto& [name, value] : spec.sweep.base) names.push_back(name);
  for (const char* reserved : {"index", "target"}) {
    if (std::find(names.begin(), names.end(), reserved) == names.end()) continue;
    return UsageError("{" + std::string(reserved) + "} stands for the task's " + reserved +
                          " in a command; give the parameter another name",
                      reserved);
  }
  const bool has_target = !spec.sweep.targets.empty();
  return CheckCommandTemplate(*spec.command, names, has_target);
}

Status CheckSolver(const Manifest& manifest, JobSpec& spec) {
  if (spec.solver.empty()) spec.solver = manifest.solvers.front();
  if (std::find(manifest.solvers.begin(), manifest.solvers.end(), spec.solver) != manifest.solvers.end()) return {};
  std::string all;
  for (const std::string& solver : manifest.solvers) all += (all.empty() ? "" : ", ") + solver;
  return UsageError("unknown solver '" + spec.solver + "' of " + manifest.analysis + "; there are: " + all, "solver");
}

}  // namespace

Result<Value> CanonicaliseValue(const Parameter& parameter, const std::string& solver, const Value& value) {
  switch (parameter.type) {
    case Parameter::Type::kNumber:
    case Parameter::Type::kInteger: return CheckNumber(parameter, solver, value);
    case Parameter::Type::kNumbers: return CheckNumbers(parameter, solver, value);
    case Parameter::Type::kWord: return CheckWord(parameter, value);
    case Parameter::Type::kBoolean:
      if (value.is_bool()) return value;
      return UsageError(parameter.name + " is " + Shown(value) + ", but it must be true or false", parameter.name);
  }
  return value;
}

Result<ValueMap> TaskParams(const Manifest& manifest, ValueMap params) {
  for (const Parameter& parameter : manifest.parameters) {
    if (!parameter.not_with) continue;
    const auto other = params.find(parameter.not_with->first);
    if (other != params.end() && other->second == parameter.not_with->second) {
      params.erase(parameter.name);
    } else if (parameter.required && !params.contains(parameter.name)) {
      return UsageError("'" + parameter.name + "' is needed when " + parameter.not_with->first + " is not " +
                            FormatValue(parameter.not_with->second),
                        parameter.name);
    }
  }
  return params;
}

Status CanonicaliseSpec(const Catalogue& catalogue, JobSpec& spec) {
  ICARUS_ASSIGN(const Manifest* manifest, catalogue.Get(spec.analysis));
  ICARUS_TRY(CheckSolver(*manifest, spec));
  ICARUS_TRY(CheckTargets(*manifest, spec.sweep.targets));
  ICARUS_TRY(CanonicaliseParameters(*manifest, spec.solver, spec.sweep));
  ICARUS_TRY(CheckRequired(*manifest, spec.sweep));
  ICARUS_TRY(spec.sweep.Count().map([](std::uint32_t) {}));
  ICARUS_TRY(CheckCommand(*manifest, spec));
  if (spec.timeout_ms < 0) spec.timeout_ms = manifest->timeout_ms;
  if (spec.retries < 0) spec.retries = manifest->retries;
  return CheckOptions(spec);
}

}  // namespace icarus
