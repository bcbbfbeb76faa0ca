#include "client/cli/job_request.h"

#include <map>

#include "client/cli/assignments.h"
#include "client/cli/targets.h"
#include "client/cli/task_rows.h"
#include "client/cli/user_file.h"
#include "common/analysis/validate.h"
#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

constexpr std::uint64_t kMaxTableBytes = 256u << 20;  // of the file of --from

Error AboutParameter(const std::string& name, Error error) {
  error.message = name + ": " + error.message;
  error.field = name;
  return error;
}

Status ReadParameters(const SubmitOptions& options, Sweep& sweep) {
  for (const std::string& text : options.parameters) {
    ICARUS_ASSIGN(const auto assignment, SplitAssignment(text, "p"));
    const auto& [name, value_text] = assignment;
    auto value = ParseValue(value_text);
    if (!value) return AboutParameter(name, std::move(value).error());
    if (!sweep.base.emplace(name, std::move(*value)).second) {
      return UsageError("-p " + name + " is given twice; a list is written " + name + "=a,b", name);
    }
  }
  return {};
}

Status ReadAxes(const SubmitOptions& options, Sweep& sweep) {
  for (const AxisText& text : options.axes) {
    std::vector<std::pair<std::string, std::string>> columns;
    if (text.zip) {
      ICARUS_ASSIGN(columns, SplitZip(text.text));
    } else {
      ICARUS_ASSIGN(auto column, SplitAssignment(text.text, "sweep"));
      columns.push_back(std::move(column));
    }
    Axis axis;
    for (const auto& [name, values_text] : columns) {
      auto values = ParseValues(values_text);
      if (!values) return AboutParameter(name, std::move(values).error());
      if (sweep.base.contains(name)) return UsageError(name + " is given as a parameter and as an axis", name);
      axis.columns.push_back({name, std::move(*values)});
    }
    sweep.axes.push_back(std::move(axis));
  }
  return {};
}

// The targets of the rows, each once, and the rows' positions among them.
Status IndexTargets(TargetKind kind, const std::vector<std::string>& texts, Sweep& sweep) {
  std::map<std::string, std::uint32_t> known;
  for (const std::string& text : texts) {
    const auto [found, added] = known.try_emplace(text, static_cast<std::uint32_t>(sweep.targets.size()));
    if (added) {
      ICARUS_ASSIGN(Target target, ReadTarget(kind, text));
      sweep.targets.push_back(std::move(target));
    }
    sweep.table->target.push_back(found->second);
  }
  return {};
}

Status ReadRows(const SubmitOptions& options, TargetKind kind, Sweep& sweep) {
  if (options.from.empty()) return {};
  ICARUS_ASSIGN(const std::string text, ReadUserFile(options.from, kMaxTableBytes, "from"));
  auto rows = ParseTaskRows(text);
  if (!rows) {
    Error error = std::move(rows).error();
    error.message = options.from + ": " + error.message;
    return error;
  }
  sweep.table.emplace();
  sweep.table->rows = rows->rows;
  sweep.table->columns = std::move(rows->columns);
  for (const auto& [name, values] : sweep.table->columns) {
    if (!sweep.base.contains(name)) continue;
    return UsageError(name + " is a column of " + options.from + " and is given with -p too; leave one out", name);
  }
  if (rows->targets.empty()) return {};
  if (!sweep.targets.empty()) return UsageError("the rows name their targets, and --target is given too", "target");
  return IndexTargets(kind, rows->targets, sweep);
}

Status ReadSweep(const SubmitOptions& options, const Manifest& manifest, Sweep& sweep) {
  ICARUS_ASSIGN(sweep.targets, ReadTargets(manifest.target, options.targets, options.targets_file));
  ICARUS_TRY(ReadParameters(options, sweep));
  ICARUS_TRY(ReadAxes(options, sweep));
  return ReadRows(options, manifest.target, sweep);
}

Status ReadResources(const SubmitOptions& options, Resources& resources) {
  resources.cpus = options.cpus.value_or(1);
  resources.memory_bytes = options.memory_bytes.value_or(0);
  ICARUS_ASSIGN(const auto named, ParseAssignments(options.resources, "resource"));
  for (const auto& [name, text] : named) {
    const auto count = ParseInteger(text);
    if (!count) return UsageError("--resource " + name + "=" + text + ": the number is no whole number", "resource");
    resources.named[name] = *count;
  }
  return {};
}

CachePolicy PolicyOf(const SubmitOptions& options) {
  if (options.no_cache) return CachePolicy::kNone;
  if (options.refresh) return options.force_cache ? CachePolicy::kForceRefresh : CachePolicy::kRefresh;
  return options.force_cache ? CachePolicy::kForce : CachePolicy::kDefault;
}

Status ReadOptions(const SubmitOptions& options, JobSpec& spec) {
  const auto at = options.solver.find('@');
  spec.solver = options.solver.substr(0, at);
  if (at != std::string::npos) spec.solver_identity = options.solver.substr(at + 1);
  spec.priority = options.priority.value_or(0);
  spec.timeout_ms = options.timeout_ms.value_or(-1);  // below 0: the analysis' own
  spec.queue_timeout_ms = options.queue_timeout_ms.value_or(0);
  spec.deadline_ms = options.deadline_ms.value_or(0);
  spec.delay_ms = options.delay_ms.value_or(0);
  spec.retries = options.retries.value_or(-1);
  spec.retry_exit = options.retry_exit;
  spec.no_restart = options.no_restart;
  ICARUS_TRY(ReadResources(options, spec.resources));
  ICARUS_ASSIGN(spec.require, ParseAssignments(options.require, "require"));
  spec.cache = PolicyOf(options);
  spec.ttl_ms = options.ttl_ms.value_or(0);
  spec.max_fails = options.max_fails.value_or(-1);
  spec.max_running = options.max_running.value_or(0);
  spec.name = options.name;
  ICARUS_ASSIGN(spec.tags, ParseAssignments(options.tags, "tag"));
  spec.strict = options.strict;
  return {};
}

bool NamesCommandFiles(const SubmitOptions& options) {
  return !options.inputs.empty() || !options.outputs.empty() || !options.stdin_file.empty() || !options.env.empty() ||
         !options.cwd.empty() || !options.keep.empty() || options.keep_every_ms || !options.stop_signal.empty();
}

}  // namespace

Result<JobRequest> BuildJobRequest(const Catalogue& catalogue, const SubmitOptions& options) {
  ICARUS_ASSIGN(const Manifest* manifest, catalogue.Get(options.analysis));
  JobRequest request;
  request.spec.analysis = options.analysis;
  ICARUS_TRY(ReadOptions(options, request.spec));
  ICARUS_TRY(ReadSweep(options, *manifest, request.spec.sweep));
  if (options.analysis == "command") {
    ICARUS_ASSIGN(CommandRequest command, ReadCommand(options));
    request.spec.command = std::move(command.command);
    request.pending = std::move(command.pending);
  } else if (!options.command.empty() || NamesCommandFiles(options)) {
    return UsageError(options.analysis +
                          " takes no command line; --input, --output, --stdin, --env, --cwd, --keep, "
                          "--keep-every, --stop-signal and -- belong to the analysis 'command'",
                      "command");
  }
  ICARUS_TRY(CanonicaliseSpec(catalogue, request.spec));
  return request;
}

}  // namespace icarus::client
