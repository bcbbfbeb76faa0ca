#include "client/cli/args.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <functional>
#include <type_traits>

#include "client/cli/verb_names.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

// Thrown by a value's own parser, through the library, and caught in ParseArguments.
struct BadValue {
  Error error;
};

using Setter = std::function<Status(const std::string&)>;

// An option with one value; the last one given counts.
CLI::Option* AddValue(CLI::App* app, const std::string& flags, const std::string& type, const std::string& help,
                      Setter set) {
  const std::string field = flags.substr(flags.rfind("--") + 2);
  CLI::Option* option = app->add_option_function<std::string>(
      flags,
      [field, set = std::move(set)](const std::string& text) {
        Status status = set(text);
        if (status) return;
        Error error = std::move(status).error();
        error.message = "--" + field + ": " + error.message;
        if (error.field.empty()) error.field = field;
        throw BadValue{std::move(error)};
      },
      help);
  option->type_name(type)->take_last();
  return option;
}

CLI::Option* AddText(CLI::App* app, const std::string& flags, const std::string& type, const std::string& help,
                     std::string& target) {
  return AddValue(app, flags, type, help, [&target](const std::string& text) -> Status {
    target = text;
    return {};
  });
}

// An option that may be given several times, each time with one value.
CLI::Option* AddTexts(CLI::App* app, const std::string& flags, const std::string& type, const std::string& help,
                      std::vector<std::string>& target) {
  CLI::Option* option = app->add_option(flags, target, help);
  option->type_name(type)->allow_extra_args(false);
  return option;
}

void AddDuration(CLI::App* app, const std::string& flags, const std::string& help,
                 std::optional<std::int64_t>& target) {
  AddValue(app, flags, "D", help, [&target](const std::string& text) -> Status {
    ICARUS_ASSIGN(target, ParseDurationMs(text));
    return {};
  });
}

template <class T>
void AddInteger(CLI::App* app, const std::string& flags, std::int64_t low, std::int64_t high, const std::string& help,
                T& target) {
  AddValue(app, flags, "N", help, [&target, low, high](const std::string& text) -> Status {
    const auto number = ParseInteger(text);
    if (!number) return UsageError("'" + text + "' is not a whole number");
    if (*number < low || *number > high) {
      return UsageError(text + " is outside of " + std::to_string(low) + " to " + std::to_string(high));
    }
    using Number = typename std::conditional_t<std::is_integral_v<T>, std::type_identity<T>, T>;
    if constexpr (std::is_integral_v<T>) {
      target = static_cast<typename Number::type>(*number);
    } else {
      target = static_cast<typename Number::value_type>(*number);
    }
    return {};
  });
}

constexpr std::int64_t kMany = 1'000'000'000'000;

Status SetFormat(CommonOptions& common, const std::string& text) {
  if (text == "json") {
    common.format = Format::kJson;
  } else if (text == "csv") {
    common.format = Format::kCsv;
  } else if (text == "text" || text == "table") {
    common.format = Format::kText;
  } else {
    return UsageError("'" + text + "' is not an output format; there are text, json and csv", "output");
  }
  return {};
}

void AddCommon(CLI::App& app, CommonOptions& common) {
  AddText(&app, "--home", "DIR", "where the store, logs and access file are (env ICARUS_HOME)", common.home);
  AddText(&app, "--config", "FILE", "configuration file (env ICARUS_CONFIG)", common.config_file);
  AddText(&app, "--access", "FILE", "access file of a broker elsewhere", common.access_file);
  AddText(&app, "--log-level", "LEVEL", "of the programs that `up` starts: debug, info, warning, error",
          common.log_level);
  AddValue(&app, "-o,--format", "FORMAT", "text, json or csv",
           [&common](const std::string& text) { return SetFormat(common, text); });
  app.add_flag("-q,--quiet", common.quiet, "ids or nothing");
  app.add_flag("--no-progress", common.no_progress, "no progress on stderr");
}

void AddScheduling(CLI::App* app, SubmitOptions& submit) {
  AddInteger(app, "--priority", -limits::kMaxPriority, limits::kMaxPriority, "higher runs first (0)", submit.priority);
  AddDuration(app, "--timeout", "end one attempt after this long", submit.timeout_ms);
  AddDuration(app, "--queue-timeout", "give up when it has not started after this long", submit.queue_timeout_ms);
  AddDuration(app, "--deadline", "give up this long after the submission", submit.deadline_ms);
  AddTexts(app, "--after", "JOB", "start when this job has completed; repeat for more", submit.after);
  AddTexts(app, "--after-any", "JOB", "start when this job has ended, however it did", submit.after_any);
  AddDuration(app, "--delay", "start this long after the submission at the earliest", submit.delay_ms);
  AddInteger(app, "--retries", 0, limits::kMaxRetries, "further attempts after a crash or timeout", submit.retries);
  app->add_flag("--retry-exit", submit.retry_exit, "a nonzero exit is tried again too");
  app->add_flag("--no-restart", submit.no_restart, "a lost worker fails the task");
  AddInteger(app, "--cpus", 1, limits::kMaxCpus, "slots of one task (1)", submit.cpus);
  AddValue(app, "--memory", "SIZE", "memory of one task", [&submit](const std::string& text) -> Status {
    ICARUS_ASSIGN(submit.memory_bytes, ParseSizeBytes(text));
    return {};
  });
  AddTexts(app, "--resource", "NAME=N", "a named resource, a licence for example", submit.resources);
  AddTexts(app, "--require", "K=V", "a label that the worker must have", submit.require);
  AddInteger(app, "--max-fails", 0, kMany, "cancel the rest after this many failures", submit.max_fails);
  AddInteger(app, "--max-running", 0, kMany, "at most this many tasks of the job at once", submit.max_running);
  app->add_flag("--require-runnable", submit.require_runnable, "refuse when no worker can run it now");
}

void AddIdentity(CLI::App* app, SubmitOptions& submit) {
  AddText(app, "--name", "TEXT", "a name to find it by", submit.name);
  AddTexts(app, "--tag", "K=V", "a tag to find it by; repeat for more", submit.tags);
  AddValue(app, "--id", "KEY", "the same KEY is the same job, however often it is sent",
           [&submit](const std::string& text) -> Status {
             if (text.empty()) return UsageError("it is empty; leave it out, or give a key");
             submit.id = text;
             return {};
           });
  AddDuration(app, "--ttl", "how long its results stay in the cache", submit.ttl_ms);
  app->add_flag("--no-cache", submit.no_cache, "neither read nor write the cache");
  app->add_flag("--refresh", submit.refresh, "compute anew and write the cache");
  app->add_flag("--cache", submit.force_cache, "cache it although the analysis is not by default");
  app->add_flag("--strict", submit.strict, "missing points count as failure");
}

void AddSweep(CLI::App* app, SubmitOptions& submit) {
  AddText(app, "--solver", "S[@IDENTITY]", "which solver; default: the analysis' first", submit.solver);
  AddTexts(app, "--target", "T", "a name or a file (with / or .); repeat for more", submit.targets);
  AddText(app, "--targets", "FILE", "targets, one a line", submit.targets_file);
  AddTexts(app, "-p,--param", "NAME=VALUE", "a parameter; a list or range stays one value", submit.parameters);
  app->add_option("--sweep", "an axis, NAME=VALUES; repeat for the outer product, the last fastest")
      ->type_name("NAME=VALUES")
      ->expected(1, 1 << 20)
      ->allow_extra_args(false);
  app->add_option("--zip", "axes in step: a=1,2,b=3,4")
      ->type_name("a=…,b=…")
      ->expected(1, 1 << 20)
      ->allow_extra_args(false);
  AddText(app, "--from", "FILE", "a task a row: .json, .csv, or - for either on stdin", submit.from);
}

void AddCommandFiles(CLI::App* app, SubmitOptions& submit) {
  AddTexts(app, "--input", "SRC[=DEST]",
           "a file or directory to send along, or TASK:FILE, an output of another task, which is waited for",
           submit.inputs);
  AddTexts(app, "--output", "GLOB", "files to bring back", submit.outputs);
  AddText(app, "--stdin", "FILE", "the standard input: a file, or - for ours", submit.stdin_file);
  AddTexts(app, "--env", "K[=V]", "a variable of the command's environment", submit.env);
  AddText(app, "--cwd", "DIR", "run there; never cached", submit.cwd);
  AddTexts(app, "--keep", "GLOB", "files that are saved when an attempt is stopped, and given to the next",
           submit.keep);
  AddDuration(app, "--keep-every", "save them also while it runs, so often", submit.keep_every_ms);
  AddText(app, "--stop-signal", "SIG[@D]", "sent to the command D (10s) before it is stopped: USR1@2m",
          submit.stop_signal);
}

void AddSubmitOptions(CLI::App* app, SubmitOptions& submit) {
  AddSweep(app, submit);
  AddScheduling(app, submit);
  AddIdentity(app, submit);
  AddCommandFiles(app, submit);
}

void AddSelectors(CLI::App* app, SelectOptions& select, const char* what) {
  app->add_option("job", select.selectors, "7, 7.2, 1-3, 1,3,5-8, last, all, tag:study=x, name:glob")
      ->type_name(what)
      ->required();
}

// Of a verb that is about one job or task.
void AddSelector(CLI::App* app, SelectOptions& select, const char* what) {
  app->add_option("job", select.selectors, "one: 7, 7.2, last, tag:study=x, name:glob")->type_name(what)->required();
}

void DefineStartAndStop(const std::function<CLI::App*(const char*)>& verb, Options& options) {
  CLI::App* up = verb("up");
  AddInteger(up, "--workers", 0, 10'000, "how many workers there are to be (1)", options.up.workers);
  AddInteger(up, "--cpus", 1, limits::kMaxCpus, "CPUs that the workers share (all)", options.up.cpus);
  AddTexts(up, "--listen", "tcp://ADDR:PORT", "a further endpoint of the broker", options.up.listen);
  AddText(up, "--advertise", "HOST", "the name under which others reach it", options.up.advertise);
  up->add_flag("--insecure", options.up.insecure, "allow TCP without keys, on loopback");
  up->add_flag("--allow-network-store", options.up.allow_network_store, "allow a store on a network file system");
  CLI::App* down = verb("down");
  AddDuration(down, "--drain", "how long running tasks may go on (10 s)", options.down.drain_ms);
  down->add_flag("--broker", options.down.broker_only, "only the broker; solvers run on");
}

void DefineSubmission(const std::function<CLI::App*(const char*)>& verb, Options& options) {
  CLI::App* submit = verb("submit");
  submit->add_option("analysis", options.submit.analysis, "see `icarus analyses`")->type_name("ANALYSIS")->required();
  AddSubmitOptions(submit, options.submit);
  submit->add_flag("--wait", options.submit.wait, "wait until it has ended");
  submit->add_flag("--result", options.submit.result, "wait, then print what `icarus result` prints");
  CLI::App* estimate = verb("estimate");
  estimate->add_option("analysis", options.submit.analysis, "see `icarus analyses`")->type_name("ANALYSIS")->required();
  AddSubmitOptions(estimate, options.submit);
  estimate->add_flag("--explain-key", options.submit.explain_key, "print what the tasks' keys are hashes of");
  CLI::App* run = verb("run");
  AddSubmitOptions(run, options.submit);
  run->add_flag("--detach", options.submit.detach, "print the id and leave, like submit");
}

void DefineJobVerbs(const std::function<CLI::App*(const char*)>& verb, Options& options) {
  CLI::App* list = verb("list");
  AddTexts(list, "--state", "STATE", "only these; repeat for more", options.list.states);
  AddTexts(list, "--tag", "K=V", "only with this tag; repeat for more", options.list.tags);
  AddText(list, "--name", "GLOB", "only with such a name", options.list.name);
  AddText(list, "--user", "USER", "only of this user", options.list.user);
  AddText(list, "--since", "WHEN", "only younger: a duration (2h) or a date (2026-11-23T12:00:00Z)",
          options.list.since);
  AddInteger(list, "--limit", 1, kMany, "at most this many (50)", options.list.limit);
  CLI::App* show = verb("show");
  AddSelector(show, options.select, "JOB|TASK");
  AddTexts(show, "--state", "STATE", "only tasks in this state; repeat for more", options.select.states);
  AddInteger(show, "--limit", 0, kMany, "at most this many tasks (100)", options.select.limit);
  AddValue(show, "--after", "INDEX", "only tasks after this one", [&options](const std::string& text) -> Status {
    const auto index = ParseInteger(text);
    if (!index || *index < -1) return UsageError("'" + text + "' is not the index of a task");
    options.select.after = static_cast<std::uint64_t>(*index + 1);
    return {};
  });
  AddSelector(verb("explain"), options.select, "TASK|JOB");
  CLI::App* wait = verb("wait");
  AddSelectors(wait, options.select, "JOB…");
  AddDuration(wait, "--timeout", "leave after this long with exit code 5", options.select.timeout_ms);
  AddSelectors(verb("watch"), options.select, "JOB…");
  CLI::App* cancel = verb("cancel");
  AddSelectors(cancel, options.select, "JOB|TASK…");
  AddText(cancel, "--reason", "TEXT", "why; kept with the task", options.select.reason);
  AddSelectors(verb("retry"), options.select, "JOB|TASK…");
}

void DefineResultVerbs(const std::function<CLI::App*(const char*)>& verb, Options& options) {
  CLI::App* result = verb("result");
  AddSelector(result, options.select, "JOB|TASK");
  AddText(result, "--plot", "FILE", "draw it: .svg or .png", options.select.plot);
  CLI::App* get = verb("get");
  get->add_option_function<std::string>(
         "task", [&options](const std::string& task) { options.select.selectors = {task}; }, "the task, 7.0")
      ->type_name("TASK")
      ->required();
  get->add_option("files", options.select.files, "names or globs; default: all")->type_name("FILE");
  AddText(get, "-d,--directory", "DIR", "where to put them (here)", options.select.directory);
  get->add_flag("--list", options.select.list, "only name them");
  CLI::App* diff = verb("diff");
  AddSelectors(diff, options.select, "JOB JOB");
  AddValue(diff, "--rtol", "R", "differences relative to the values that are none (1e-9)",
           [&options](const std::string& text) -> Status {
             const auto number = ParseNumber(text);
             if (!number || !std::isfinite(*number) || *number < 0) {
               return UsageError("'" + text + "' is no tolerance: a number of 0 or more");
             }
             options.select.rtol = *number;
             return {};
           });
  CLI::App* logs = verb("logs");
  AddSelector(logs, options.select, "TASK|JOB");
  logs->add_flag("-f,--follow", options.select.follow, "wait for the task's end first");
  logs->add_flag("--failed", options.select.failed, "of a job: of every task that failed");
  AddInteger(logs, "--attempt", 1, 1'000'000, "which attempt (the last)", options.select.attempt);
}

void DefineServiceVerbs(const std::function<CLI::App*(const char*)>& verb, Options& options) {
  CLI::App* workers = verb("workers");
  workers->add_option("action", options.action.action, "drain or resume")->type_name("ACTION");
  workers->add_option("name", options.action.key, "which one; a glob is allowed")->type_name("NAME");
  verb("analyses")->add_option("name", options.action.key, "the one to show in full")->type_name("NAME");
  CLI::App* cache = verb("cache");
  cache
      ->add_option("action", options.cache.action,
                   "stats (the default), list, get KEY, remove [KEY…], clear, export FILE, import FILE, verify, audit")
      ->type_name("ACTION");
  cache->add_option("operands", options.cache.operands, "keys (their first digits are enough), or the file")
      ->type_name("KEY|FILE");
  AddText(cache, "--analysis", "A", "entries of this analysis", options.cache.analysis);
  AddText(cache, "--solver", "S[@IDENTITY]", "entries of this solver", options.cache.solver);
  AddTexts(cache, "--where", "NAME=RANGE", "whose parameter is in it: 1e6, 1e5,2e5 or 1e5:1e6", options.cache.where);
  AddText(cache, "--since", "T", "computed since a date, or so long ago", options.cache.since);
  AddText(cache, "--origin", "WHICH", "computed here, import, or intermediate (what solvers keep)",
          options.cache.origin);
  AddText(cache, "--age", "RANGE", "computed so long ago: 7d: or 1h:2d", options.cache.age);
  AddText(cache, "--size", "RANGE", "as large: 1MiB: or :64KiB", options.cache.size);
  AddText(cache, "--cost", "RANGE", "took as long to compute: 10m: or :1s", options.cache.cost);
  AddText(cache, "--sort", "age|size|cost", "list the oldest, largest or dearest first", options.cache.sort);
  AddInteger(cache, "--limit", 0, kMany, "list at most this many (50); 0: all", options.cache.limit);
  AddInteger(cache, "--count", 1, 10'000, "audit so many entries (5)", options.cache.count);
  cache->add_flag("--replace", options.cache.replace, "import: where ours differs, take theirs");
  CLI::App* config = verb("config");
  config->add_option("action", options.action.action, "list (the default), get, set or unset")->type_name("ACTION");
  config->add_option("key", options.action.key, "for example cache.max_size_mb")->type_name("KEY");
  config->add_option("value", options.action.value, "with set")->type_name("VALUE");
  config->add_flag("--origin", options.action.origin, "where each value comes from");
  CLI::App* events = verb("events");
  AddInteger(events, "--after", 0, kMany, "only those with a higher number", options.events.after);
  events->add_flag("-f,--follow", options.events.follow, "go on with what happens, until Ctrl-C");
  for (const char* name : {"maintenance", "emergency-cleanup", "doctor"}) verb(name);
}

void Define(CLI::App& app, Options& options) {
  AddCommon(app, options.common);
  app.set_version_flag("--version", ProgramVersion("icarus"));
  app.require_subcommand(0, 1);  // so that `config list` is not two verbs
  app.footer("`icarus VERB --help` shows the options and an example of each verb.");
  const std::function<CLI::App*(const char*)> verb = [&app](const char* name) {
    for (const VerbText& text : kVerbTexts) {
      if (std::string(name) != text.name) continue;
      CLI::App* sub = app.add_subcommand(text.name, text.summary)->fallthrough();
      sub->footer(std::string("Example:\n  ") + text.example +
                  "\n\nAnd the options of every verb: --home --config --access -o -q --no-progress (icarus --help)");
      return sub;
    }
    throw std::logic_error("a verb without a text");
  };
  DefineStartAndStop(verb, options);
  DefineSubmission(verb, options);
  DefineJobVerbs(verb, options);
  DefineResultVerbs(verb, options);
  DefineServiceVerbs(verb, options);
}

// --sweep and --zip in the order in which they stand: each occurrence is one entry of the parse order.
std::vector<AxisText> AxesInOrder(const CLI::App& verb) {
  std::vector<AxisText> axes;
  std::size_t sweeps = 0;
  std::size_t zips = 0;
  for (const CLI::Option* option : verb.parse_order()) {
    if (option->check_lname("sweep")) axes.push_back({false, option->results().at(sweeps++)});
    if (option->check_lname("zip")) axes.push_back({true, option->results().at(zips++)});
  }
  return axes;
}

// The word that is meant as the verb: the first that is neither an option nor an option's value.
std::string FindVerb(const std::vector<std::string>& arguments) {
  static const std::vector<std::string> kWithValue = {"--home",      "--config", "--access",
                                                      "--log-level", "-o",       "--format"};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].empty() || arguments[i][0] != '-') return arguments[i];
    if (std::find(kWithValue.begin(), kWithValue.end(), arguments[i]) != kWithValue.end()) ++i;
  }
  return "";
}

// What had been asked for, also when the rest of the line cannot be understood.
Format FindFormat(const std::vector<std::string>& arguments) {
  CommonOptions common;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-o" || argument == "--format") {
      if (i + 1 < arguments.size()) (void)SetFormat(common, arguments[i + 1]);
    } else if (argument.rfind("--format=", 0) == 0) {
      (void)SetFormat(common, argument.substr(9));
    } else if (argument.rfind("-o", 0) == 0) {
      (void)SetFormat(common, argument.substr(2));
    }
  }
  return common.format;
}

Error CheckVerb(const std::string& verb) {
  if (verb.empty()) return UsageError("no verb is given; `icarus --help` lists them");
  std::vector<std::string> names;
  for (const VerbText& text : kVerbTexts) names.push_back(text.name);
  const auto nearest = Nearest(verb, names);
  return UsageError("unknown verb '" + verb + "'; " +
                    (nearest ? "did you mean '" + *nearest + "'?" : "`icarus --help` lists them"));
}

bool IsVerb(const std::string& verb) {
  return std::any_of(kVerbTexts.begin(), kVerbTexts.end(), [&](const VerbText& text) { return verb == text.name; });
}

Error UnexpectedArgument(const CLI::App& app, const std::string& verb) {
  const std::vector<std::string> remaining = app.remaining(true);
  const std::string word = remaining.empty() ? "" : remaining.front();
  if (verb.empty()) return UsageError("unknown option '" + word + "'; `icarus --help` lists them", word);
  const std::string see = "; see `icarus " + verb + " --help`";
  if (word.size() < 2 || word[0] != '-') return UsageError("'" + word + "' is one word too many" + see);
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const CLI::App* level : {&app, static_cast<const CLI::App*>(app.get_subcommand(verb))}) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& long_name : option->get_lnames()) known.push_back("--" + long_name);
    }
  }
  const auto nearest = Nearest(name, known);
  return UsageError(
      "unknown option '" + name + "' of `icarus " + verb + "`" + (nearest ? "; did you mean '" + *nearest + "'?" : see),
      name);
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// Splits what is behind the first `--` off; it belongs to the command that is to be run.
std::vector<std::string> TakeCommand(std::vector<std::string>& arguments, bool& given) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  given = dashes != arguments.end();
  if (!given) return {};
  std::vector<std::string> command(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return command;
}

Status CheckCommandUse(const Options& options, bool command_given) {
  const bool takes = options.verb == "submit" || options.verb == "estimate" || options.verb == "run";
  if (command_given && !takes) return UsageError("`icarus " + options.verb + "` takes no command after --");
  if (options.verb == "run" && options.submit.command.empty()) {
    return UsageError("no command is given; write it after --: icarus run -- CMD ARG…", "command");
  }
  if (options.submit.no_cache && (options.submit.refresh || options.submit.force_cache)) {
    return UsageError("--no-cache goes with neither --refresh nor --cache", "cache");
  }
  return {};
}

ParsedArguments Parse(CLI::App& app, Options& options, std::vector<std::string> arguments) {
  const std::string& verb = options.verb;
  std::reverse(arguments.begin(), arguments.end());  // the library takes them from the back
  try {
    app.parse(arguments);
    if (verb.empty()) return options;
    const CLI::App* sub = app.get_subcommand(verb);
    options.submit.axes = AxesInOrder(*sub);
    return options;
  } catch (const BadValue& bad) {
    return BadArguments{bad.error, options.common.format, verb};
  } catch (const CLI::CallForHelp&) {
    return TextAndDone{app.help()};
  } catch (const CLI::CallForVersion& version) {
    return TextAndDone{std::string(version.what()) + "\n"};
  } catch (const CLI::ExtrasError&) {
    return BadArguments{UnexpectedArgument(app, verb), options.common.format, verb};
  } catch (const CLI::ParseError& error) {
    return BadArguments{UsageError(FirstLine(error.what()) + "; see `icarus " + verb + " --help`"),
                        options.common.format, verb};
  }
}

}  // namespace

ParsedArguments ParseArguments(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  Options options;
  bool command_given = false;
  options.submit.command = TakeCommand(arguments, command_given);
  options.verb = FindVerb(arguments);
  const Format format = FindFormat(arguments);
  const bool wants_text = options.verb.empty() && !arguments.empty();
  if (!IsVerb(options.verb) && !wants_text) return BadArguments{CheckVerb(options.verb), format, options.verb};

  CLI::App app(
      "Icarus: a durable, distributed queue for engineering analyses that never computes the same thing twice.",
      "icarus");
  Define(app, options);
  ParsedArguments parsed = Parse(app, options, arguments);
  if (auto* bad = std::get_if<BadArguments>(&parsed)) bad->format = format;
  if (!std::holds_alternative<Options>(parsed)) return parsed;
  if (options.verb.empty()) return BadArguments{CheckVerb(""), format, ""};
  if (Status use = CheckCommandUse(options, command_given); !use) {
    return BadArguments{std::move(use).error(), format, options.verb};
  }
  return std::get<Options>(std::move(parsed));
}

}  // namespace icarus::client
