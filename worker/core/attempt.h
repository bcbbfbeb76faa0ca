// An execution at this worker, from its dispatch until its result lies in the spool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/messages.h"
#include "worker/core/effects.h"
#include "worker/core/timing.h"

namespace icarus::worker {

enum class AttemptState : std::uint8_t {
  kQueued,     // waits for slots
  kFetching,   // has slots; inputs are on their way
  kSleeping,   // a noop that takes its time, within the worker itself
  kRunning,    // handed to the launcher
  kStopping,   // being killed
  kUploading,  // ended, slots given back; its output files are on their way to the broker
};

enum class StopReason : std::uint8_t {
  kNone,
  kTimeout,    // ends timed_out
  kCancelled,  // ends cancelled
  kReturned,   // goes back to the broker, as if it had never started
  kDropped,    // the broker does not want it: ends without a word
};

struct OutputBlob {
  ContentHash hash;
  std::uint64_t size = 0;
  std::string path;
};

// How an attempt ended, as the launcher tells it.
struct AttemptEnd {
  TaskError error;              // kNone: success
  Body body;                    // encoded ResultBody; null: none
  bool incomplete = false;      // the body has missing points
  bool cacheable = true;        // false: another run may give more
  bool solver_changed = false;  // its program is not the one that this worker has told the broker of
  std::string output_tail;      // of a failed attempt
  std::vector<OutputBlob> blobs;
  std::vector<FileRef> kept;  // for the next attempt; their content is among `blobs`
  std::string keep_problem;   // why there are none, although there should be
  double run_s = 0;
  double cpu_s = 0;
  std::uint64_t max_rss_bytes = 0;
  bool killed = false;  // because KillAttempt asked for it
};

// Files that a running attempt wants kept, on their way to the broker.
struct Save {
  AttemptId id;
  std::vector<FileRef> files;
  std::size_t transfers = 0;
};

struct Attempt {
  AttemptId id;
  std::shared_ptr<const DispatchGroup> group;
  DispatchTask task;
  std::int32_t slots = 1;
  AttemptState state = AttemptState::kQueued;
  StopReason stop = StopReason::kNone;
  Instant started_at{0};         // when it got its slots
  std::optional<Instant> alarm;  // set through AttemptTable
  std::optional<Instant> timeout_at;
  std::optional<Instant> save_at;
  bool noticed = false;  // was told that it is going to be stopped
  std::optional<Save> save;
  std::vector<FileRef> saved;  // the last that the broker was told of
  std::size_t transfers = 0;   // blobs still to come or to go
  bool launched = false;       // the launcher may have left output files
  bool superseded = false;     // the execution belongs to a newer attempt
  std::optional<Instant> progress_sent_at;
  std::optional<ExecutionProgress> progress;  // not sent yet
  std::optional<AttemptEnd> end;              // kUploading

  // What was asked for a stopped attempt, if anything.
  const KeepSpec* keep() const { return group->command && group->command->keep ? &*group->command->keep : nullptr; }
  HeldExecution Held() const { return HeldExecution{task.execution, task.token, state != AttemptState::kQueued}; }
};

}  // namespace icarus::worker
