// One attempt as the worker hands it to the launcher, and what comes back. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "common/model/content_hash.h"
#include "common/model/fields.h"
#include "common/model/job_spec.h"
#include "common/model/result_body.h"
#include "common/model/sweep.h"

namespace icarus::worker {

enum class AttemptKind : std::uint8_t {
  kCommand = 0,  // any program
  kSolver = 1,   // RunSolver, in a host process that is used again
};
constexpr int EnumCount(AttemptKind) { return 2; }

// Where and within which limits an attempt runs. All paths are absolute.
struct AttemptSpec {
  std::uint64_t id = 0;  // chosen by the worker, not in use by another attempt
  AttemptKind kind = AttemptKind::kCommand;

  // Must not exist yet; created when the attempt starts and removed, with all that is in it, before Finished is sent. A
  // command runs in WorkDirectory(scratch_dir), a solver in scratch_dir itself.
  std::string scratch_dir;
  std::string outbox_dir;               // receives result files that are too large to travel inside the body
  std::string blob_dir;                 // where input files that have no content lie, named by their hash in hex
  std::int64_t memory_limit_bytes = 0;  // of the attempt's whole process tree (PSS); 0: none
  std::int64_t grace_ms = 5'000;        // between SIGTERM and SIGKILL when the attempt is stopped
  bool stream_output = false;           // send OutputPiece events (commands only)

  // kCommand: placeholders already substituted; `environment` is the whole environment (command_environment.h).
  CommandSpec command;
  std::map<std::string, std::string> environment;
  std::vector<FileRef> kept;  // of an earlier attempt: placed like inputs, and instead of those of the same name
  std::string values_socket;  // where its program finds intermediate values (value_socket.h); empty: nowhere

  // kSolver
  std::string solver;
  std::string solver_identity;  // that the result will be told to be of; empty: any
  std::string analysis;
  ValueMap params;
  Target target;
  ICARUS_FIELDS(AttemptSpec, id, kind, scratch_dir, outbox_dir, blob_dir, memory_limit_bytes, grace_ms, stream_output,
                command, environment, kept, values_socket, solver, solver_identity, analysis, params, target)
};

// A file in the outbox that the result body refers to by its hash. The worker removes it when it is delivered.
struct BlobFile {
  ContentHash hash;
  std::uint64_t size = 0;
  std::string path;
  ICARUS_FIELDS(BlobFile, hash, size, path)
};

// The attempt's program runs (a command), or a host has taken the attempt (a solver).
struct AttemptStarted {
  std::uint64_t id = 0;
  std::int64_t pid = 0;
  ICARUS_FIELDS(AttemptStarted, id, pid)
};

struct AttemptProgress {
  std::uint64_t id = 0;
  double fraction = 0;
  std::string message;
  ICARUS_FIELDS(AttemptProgress, id, fraction, message)
};

enum class OutputStream : std::uint8_t { kStdout = 0, kStderr = 1 };
constexpr int EnumCount(OutputStream) { return 2; }

// A piece of live output. Pieces are dropped rather than delayed: a gap shows in `offset`, and the file in the result
// is whole.
struct OutputPiece {
  std::uint64_t id = 0;
  OutputStream stream = OutputStream::kStdout;
  std::uint64_t offset = 0;  // of the first byte, in the stream
  std::string bytes;
  ICARUS_FIELDS(OutputPiece, id, stream, offset, bytes)
};

// What a running attempt wants kept, copied as it was. Its id is that of the save.
struct AttemptSaved {
  std::uint64_t id = 0;
  std::vector<FileRef> files;
  std::vector<BlobFile> blobs;
  std::string problem;  // why there are none, although there should be
  ICARUS_FIELDS(AttemptSaved, id, files, blobs, problem)
};

// An order to the attempt `id`.
struct SaveOrder {
  std::uint64_t id = 0;
  std::uint64_t save = 0;
  std::string directory;  // like outbox_dir, for this save alone
  ICARUS_FIELDS(SaveOrder, id, save, directory)
};
struct SignalOrder {
  std::uint64_t id = 0;
  std::int32_t signal = 0;
  ICARUS_FIELDS(SignalOrder, id, signal)
};

// Exactly one for each attempt, the last event of it. No process of the attempt is left, its scratch directory is gone.
struct AttemptFinished {
  std::uint64_t id = 0;
  TaskError error;                  // kNone: success; kCancelled: `killed`
  std::string body;                 // encoded ResultBody, also of a failed attempt; empty when there is none
  bool incomplete = false;          // the body names missing points
  bool cacheable = true;            // false: another run may give more
  bool solver_changed = false;      // its program is another one than AttemptSpec says: there is no result
  std::string output_tail;          // of a failed attempt: the end of its stderr, or of its stdout
  std::vector<BlobFile> blobs;      // files that the body and `kept` refer to
  std::vector<FileRef> kept;        // what a stopped attempt leaves for the next (KeepSpec), none of it inline
  std::string keep_problem;         // why there are none of those, although there should be
  double run_s = 0;                 // wall time of the program or solver
  double cpu_s = 0;                 // user and system time of the whole tree
  std::uint64_t max_rss_bytes = 0;  // largest process by the kernel's account, or the sampled tree if that is larger
  bool killed = false;              // Kill was asked for before the attempt ended by itself
  ICARUS_FIELDS(AttemptFinished, id, error, body, incomplete, cacheable, solver_changed, output_tail, blobs, kept,
                keep_problem, run_s, cpu_s, max_rss_bytes, killed)
};

// The attempt wants to know intermediate values, and waits: to be answered at once, by Launcher::Answer.
struct ValueAsk {
  std::uint64_t id = 0;
  std::vector<std::string> keys;
  std::uint64_t number = 0;  // which of this attempt's questions it is; the answer has it, too
  ICARUS_FIELDS(ValueAsk, id, keys, number)
};
struct ValueAnswer {
  std::uint64_t id = 0;
  std::vector<std::int32_t> at;  // of each key: its value's place in `values`; −1: there is none
  std::vector<std::string> values;
  std::uint64_t number = 0;
  ICARUS_FIELDS(ValueAnswer, id, at, values, number)
};
// The attempt has computed an intermediate value.
struct ValueOffer {
  std::uint64_t id = 0;
  std::string key;
  std::string value;
  double compute_s = 0;
  ICARUS_FIELDS(ValueOffer, id, key, value, compute_s)
};

using LauncherEvent =
    std::variant<AttemptStarted, AttemptProgress, OutputPiece, AttemptSaved, ValueAsk, ValueOffer, AttemptFinished>;

// The current directory of a command, and its TMPDIR: side by side, so that neither shows in the other.
inline std::string WorkDirectory(const std::string& scratch_dir) { return scratch_dir + "/work"; }
inline std::string TemporaryDirectory(const std::string& scratch_dir) { return scratch_dir + "/tmp"; }

}  // namespace icarus::worker
