// One solver attempt inside a host process: calls the solver and packs what it gave.
#pragma once

#include "worker/launcher/frame_channel.h"
#include "worker/launcher/launcher_options.h"

namespace icarus::worker {

// `start` holds an AttemptSpec whose scratch directory exists. Sends kProgress frames, at most ten a second, and then
// one kOutcome. An exception from the solver is a crash of it. `first_bytes` is the host's peak memory before its first
// attempt: one that has grown far beyond it asks to be retired.
void RunSolverAttempt(const Frame& start, const LauncherOptions& options, std::uint64_t first_bytes,
                      FrameChannel& channel);

// The largest resident size of this process so far, or since an attempt began.
std::uint64_t OwnPeakMemory();

// Files of a body: those with content that is too large to travel inside, and those without content, which are taken as
// files of that name in `directory`, go to the outbox. What cannot be taken becomes a warning.
class Outbox;
void SettleFiles(ResultBody& body, const std::string& directory, Outbox& outbox);

}  // namespace icarus::worker
