// What the command line said, as plain data: filled by args.cc, read by the verbs. Nothing here has been looked up or
// checked beyond its own form; durations are milliseconds, sizes bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace icarus::client {

enum class Format : std::uint8_t { kText, kJson, kCsv };

// Of every verb.
struct CommonOptions {
  std::string home;         // empty: environment or default
  std::string config_file;  // empty: environment or default
  std::string access_file;  // empty: the home's
  std::string log_level;
  Format format = Format::kText;
  bool quiet = false;
  bool no_progress = false;
};

// One --sweep (a single NAME=VALUES) or --zip (several in step), in the order of the command line.
struct AxisText {
  bool zip = false;
  std::string text;
};

struct SubmitOptions {
  std::string analysis;
  std::vector<std::string> command;  // after `--`
  std::string solver;                // NAME or NAME@IDENTITY
  std::vector<std::string> targets;
  std::string targets_file;
  std::vector<std::string> parameters;  // NAME=VALUE
  std::vector<AxisText> axes;
  std::string from;

  std::optional<std::int32_t> priority;
  std::optional<std::int64_t> timeout_ms;
  std::optional<std::int64_t> queue_timeout_ms;
  std::optional<std::int64_t> deadline_ms;
  std::vector<std::string> after;      // selectors
  std::vector<std::string> after_any;  // selectors
  std::optional<std::int64_t> delay_ms;
  std::optional<std::int32_t> retries;
  bool retry_exit = false;
  bool no_restart = false;
  std::optional<std::int32_t> cpus;
  std::optional<std::int64_t> memory_bytes;
  std::vector<std::string> resources;  // NAME=N
  std::vector<std::string> require;    // K=V
  std::string name;
  std::vector<std::string> tags;  // K=V
  std::optional<std::int64_t> ttl_ms;
  bool no_cache = false;
  bool refresh = false;
  bool force_cache = false;  // --cache
  std::string id;
  std::optional<std::int64_t> max_fails;
  std::optional<std::int64_t> max_running;
  bool strict = false;
  bool require_runnable = false;

  std::vector<std::string> inputs;   // SRC[=DEST]
  std::vector<std::string> outputs;  // globs
  std::string stdin_file;            // file or -
  std::vector<std::string> env;      // K[=V]
  std::string cwd;
  std::vector<std::string> keep;  // globs
  std::optional<std::int64_t> keep_every_ms;
  std::string stop_signal;  // NAME[@D]

  bool wait = false;         // submit
  bool result = false;       // submit
  bool detach = false;       // run
  bool explain_key = false;  // estimate
};

struct UpOptions {
  int workers = 1;
  std::optional<int> cpus;
  std::vector<std::string> listen;
  std::string advertise;
  bool insecure = false;
  bool allow_network_store = false;
};

struct DownOptions {
  std::optional<std::int64_t> drain_ms;
  bool broker_only = false;
};

struct ListOptions {
  std::vector<std::string> states;
  std::vector<std::string> tags;
  std::string name;
  std::string user;
  std::string since;
  std::uint64_t limit = 50;
};

// Of the verbs that act on jobs and tasks.
struct SelectOptions {
  std::vector<std::string> selectors;
  std::optional<std::int64_t> timeout_ms;  // wait
  std::vector<std::string> states;         // show
  std::uint64_t limit = 100;               // show
  std::uint64_t after = 0;                 // show; first index listed
  std::string plot;                        // result
  std::string reason;                      // cancel
  bool list = false;                       // get
  std::string directory;                   // get
  std::vector<std::string> files;          // get
  bool follow = false;                     // logs
  bool failed = false;                     // logs
  std::optional<std::uint32_t> attempt;    // logs
  double rtol = 1e-9;                      // diff
};

// Verbs with a word of their own behind them: `cache stats`, `config set KEY VALUE`, `workers drain NAME`, `analyses
// NAME`.
struct ActionOptions {
  std::string action;
  std::string key;
  std::string value;
  bool origin = false;  // config list
};

struct CacheOptions {
  std::string action;                 // empty: stats
  std::vector<std::string> operands;  // keys, or a file
  std::string analysis;
  std::string solver;              // S[@IDENTITY]
  std::vector<std::string> where;  // NAME=RANGE
  std::string since;
  std::string origin;
  std::string age, size, cost;         // ranges FIRST:LAST
  std::string sort;                    // list: age, size or cost; empty: by key
  std::optional<std::uint64_t> limit;  // list; 0: all
  std::optional<std::uint64_t> count;  // audit
  bool replace = false;                // import
};

struct EventOptions {
  std::uint64_t after = 0;
  bool follow = false;
};

struct Options {
  std::string verb;
  CommonOptions common;
  SubmitOptions submit;
  UpOptions up;
  DownOptions down;
  ListOptions list;
  SelectOptions select;
  ActionOptions action;
  CacheOptions cache;
  EventOptions events;
};

}  // namespace icarus::client
