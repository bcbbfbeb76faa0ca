// What a client asks for, and what is kept of it: plain data, the same on the wire, on disk and in the cores.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/content_hash.h"
#include "common/model/fields.h"
#include "common/model/ids.h"
#include "common/model/sweep.h"

namespace icarus {

struct Resources {
  std::int32_t cpus = 1;
  std::int64_t memory_bytes = 0;              // 0: not stated
  std::map<std::string, std::int64_t> named;  // licences and the like
  ICARUS_FIELDS(Resources, cpus, memory_bytes, named)
  friend bool operator==(const Resources&, const Resources&) = default;
};

// A file that travels by its content. Small ones carry `content`, others are in the blob store under `hash`.
struct FileRef {
  std::string name;  // relative path in the scratch directory, or of the output
  ContentHash hash;
  std::uint64_t size = 0;
  std::uint32_t mode = 0644;
  std::optional<std::string> content;
  ICARUS_FIELDS(FileRef, name, hash, size, mode, content)

  // Its content lies in a file of the broker; not that of an output which is still to come.
  bool IsStored() const { return !content && hash != ContentHash(); }

  // The same file, however its content travels.
  friend bool operator==(const FileRef& a, const FileRef& b) {
    return a.name == b.name && a.hash == b.hash && a.mode == b.mode;
  }
};

// An input that is another task's output: known when that task has completed.
struct AwaitedInput {
  std::uint32_t input = 0;  // of CommandSpec::inputs, which has the name and no content until then
  JobId job;
  TaskIndex index = 0;
  std::string path;  // of the output
  ICARUS_FIELDS(AwaitedInput, input, job, index, path)
  friend bool operator==(const AwaitedInput&, const AwaitedInput&) = default;
};

// How a task that is stopped before its end goes on in its next attempt.
struct KeepSpec {
  std::vector<std::string> files;  // globs: saved when an attempt is stopped, there at the start of the next
  std::int64_t every_ms = 0;       // saved also while it runs; 0: never
  std::int32_t stop_signal = 0;    // to the command, notice_ms before it is stopped; 0: none
  std::int64_t notice_ms = 0;
  ICARUS_FIELDS(KeepSpec, files, every_ms, stop_signal, notice_ms)
  friend bool operator==(const KeepSpec&, const KeepSpec&) = default;
};

// The `command` analysis. `{axis}`, `{index}`, `{target}` in arguments and input names are replaced a task.
struct CommandSpec {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::optional<std::string> cwd;         // run there; never cached
  std::vector<FileRef> inputs;            // placed in the scratch directory before the start
  std::optional<std::string> stdin_name;  // the input that is the standard input
  std::vector<std::string> outputs;  // globs that are collected afterwards; a pattern without a match is output_missing
  std::vector<AwaitedInput> awaited;
  std::optional<KeepSpec> keep;
  ICARUS_FIELDS(CommandSpec, argv, env, cwd, inputs, stdin_name, outputs, awaited, keep)

  // What they ask for; not whether the awaited inputs have come.
  friend bool operator==(const CommandSpec& a, const CommandSpec& b) {
    return a.argv == b.argv && a.env == b.env && a.cwd == b.cwd && a.stdin_name == b.stdin_name &&
           a.outputs == b.outputs && a.awaited == b.awaited && a.keep == b.keep && a.AskedInputs() == b.AskedInputs();
  }

 private:
  std::vector<FileRef> AskedInputs() const {
    std::vector<FileRef> asked = inputs;
    for (const AwaitedInput& one : awaited) {
      if (one.input < asked.size()) asked[one.input] = FileRef{asked[one.input].name, {}, 0, 0, {}};
    }
    return asked;
  }
};

enum class CachePolicy : std::uint8_t {
  kDefault = 0,       // read and write, if the analysis is cacheable
  kNone = 1,          // --no-cache: neither read nor write, never joins
  kRefresh = 2,       // --refresh: compute anew, write
  kForce = 3,         // --cache: also where the analysis is not cached by default
  kForceRefresh = 4,  // --cache --refresh: the same, computed anew
};
constexpr int EnumCount(CachePolicy) { return 5; }

struct JobSpec {
  std::string analysis;
  std::string solver;           // name; empty: the analysis' first
  std::string solver_identity;  // version+build; empty: the default identity of that solver
  Sweep sweep;                  // canonical: validated, defaults filled in, numbers normalised
  std::optional<CommandSpec> command;

  std::int32_t priority = 0;
  std::int64_t timeout_ms = -1;       // of one attempt; 0: none; -1: the analysis' default
  std::int64_t queue_timeout_ms = 0;  // 0: none
  std::int64_t deadline_ms = 0;       // from submission; 0: none
  std::vector<JobId> after;           // starts when these have completed; fails when one ends otherwise
  std::vector<JobId> after_any;       // starts when these have ended
  std::int64_t delay_ms = 0;          // starts so long after submission at the earliest
  std::int32_t retries = -1;          // further attempts after a crash or timeout; -1: the analysis' default
  bool retry_exit = false;            // a nonzero exit is retried too
  bool no_restart = false;            // a lost worker fails the task
  Resources resources;
  std::map<std::string, std::string> require;  // labels
  CachePolicy cache = CachePolicy::kDefault;
  std::int64_t ttl_ms = 0;       // of the cached results; 0: the configured one
  std::int64_t max_fails = -1;   // cancel the rest after this many failures; -1: never
  std::int64_t max_running = 0;  // 0: no limit
  std::string name;
  std::map<std::string, std::string> tags;
  bool strict = false;
  ICARUS_FIELDS(JobSpec, analysis, solver, solver_identity, sweep, command, priority, timeout_ms, queue_timeout_ms,
                deadline_ms, after, after_any, delay_ms, retries, retry_exit, no_restart, resources, require, cache,
                ttl_ms, max_fails, max_running, name, tags, strict)

  // Whether results of before are not to be used.
  bool MustBeFresh() const { return cache == CachePolicy::kRefresh || cache == CachePolicy::kForceRefresh; }

  // Whether both ask for the same tasks; when and for whom they run may differ. REQUIRES canonical specifications.
  bool SameTasks(const JobSpec& other) const {
    return analysis == other.analysis && solver == other.solver && solver_identity == other.solver_identity &&
           sweep == other.sweep && command == other.command;
  }
};

}  // namespace icarus
