// What the core asks of the worker program. The program carries effects out in order; none may block it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/base/strong_id.h"
#include "common/model/content_hash.h"
#include "common/protocol/messages.h"

namespace icarus::worker {

// One start of one execution at this worker; never used again within the process.
using AttemptId = StrongId<struct AttemptIdTag>;

struct SendToBroker {
  AnyMessage payload;
  std::vector<Body> bodies;
};
// A Heartbeat with a fresh sample of telemetry.
struct SendHeartbeat {};
// (Re)open the connection at the address that the access file names now. Answered by OnConnected or OnConnectFailed.
struct Connect {};
// The broker has been silent for a while: if the access file names another instance, say OnDisconnected.
struct CheckAccess {};

// Answered by OnAttemptFinished, exactly once, however it ends. Inputs without content have been fetched.
struct StartAttempt {
  AttemptId attempt;
  std::shared_ptr<const DispatchGroup> group;  // without its tasks
  DispatchTask task;
};
// SIGTERM, the grace of Timing, SIGKILL.
struct KillAttempt {
  AttemptId attempt;
};
// To the attempt's command itself, not to what it has started.
struct SignalAttempt {
  AttemptId attempt;
  std::int32_t signal = 0;
};
// Copies what the attempt wants kept. Answered by OnAttemptSaved, unless the attempt ends before; what is copied is
// removed by ForgetAttempt{save}.
struct SaveAttempt {
  AttemptId attempt;
  AttemptId save;  // like an attempt of its own for transfers and files
};
// A solver's program is another one than at the start. Answered by OnSolvers.
struct LookForSolvers {};
// The worker leaves now: every process is killed without grace before the effects that follow are carried out.
struct KillAll {};
// Answered by OnBlobFetched, once a hash.
struct FetchBlob {
  ContentHash hash;
  std::uint64_t size = 0;
};
// Answered by OnBlobUploaded.
struct UploadBlob {
  AttemptId attempt;
  ContentHash hash;
  std::uint64_t size = 0;
  std::string path;
};
// Nothing of the attempt is needed any more: its output files may go, and transfers for it.
struct ForgetAttempt {
  AttemptId attempt;
};
// The last effect: what was sent is to be delivered, then the program ends.
struct Exit {
  int code = 0;
  std::string reason;
};

using Effect = std::variant<SendToBroker, SendHeartbeat, Connect, CheckAccess, StartAttempt, KillAttempt, SignalAttempt,
                            SaveAttempt, LookForSolvers, KillAll, FetchBlob, UploadBlob, ForgetAttempt, Exit>;

}  // namespace icarus::worker
