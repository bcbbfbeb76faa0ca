// What a freshly forked helper process does first, and small facts about processes.
#pragma once

#include <sys/types.h>

#include <string>

#include "common/base/unique_fd.h"

namespace icarus::worker {

// The descriptor that a helper process talks through.
inline constexpr int kChannelFd = 3;

// Moves `channel` to kChannelFd and closes every other descriptor but 0, 1 and 2: nobody else's socket, lock or store
// may be held open by a process that outlives its worker. Opens /dev/null for those of 0, 1 and 2 that are closed.
void KeepOnlyChannel(int channel);

// Default dispositions for every signal, and a mask that blocks SIGCHLD (for signalfd) and what a terminal or service
// manager sends to whole groups: helpers end when their channel does.
void ResetSignalsForHelper();
// Default dispositions and an empty mask, as a program expects to be started.
void ResetSignalsForProgram();

// No core files; in effect for every descendant.
void ForbidCoreFiles();

// Asks for SIGKILL when `parent` ends; exits at once if it has ended already.
void DieWithParent(pid_t parent);

// Orphaned descendants become this process' children.
void BecomeSubreaper();

// Reports SIGCHLD, which must be blocked; non-blocking, close-on-exec.
UniqueFd ChildSignalFd();
// Takes what it holds.
void DrainSignalFd(int fd);

// "9 (Killed)"
std::string SignalText(int signal);

}  // namespace icarus::worker
