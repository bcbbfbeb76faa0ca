// WorkerLoop: the worker's one thread. Hands what happens to the core, and carries out what the core decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/transport/context.h"
#include "common/transport/poll_loop.h"
#include "common/transport/signal_fd.h"
#include "worker/attempt_builder.h"
#include "worker/broker_finder.h"
#include "worker/core/worker_core.h"
#include "worker/launcher/launcher.h"
#include "worker/net/blob_transfers.h"
#include "worker/net/broker_link.h"
#include "worker/ready_report.h"
#include "worker/telemetry/host_sampler.h"
#include "worker/value_exchange.h"

namespace icarus::worker {

class WorkerLoop {
 public:
  struct Parts {  // all outlive the loop
    Launcher& launcher;
    SignalFd& signals;
    TransportContext& context;
    ReadyReport& ready;
    BrokerFinder& broker;
    HostSampler& sampler;
  };

  WorkerLoop(Parts parts, CoreOptions options, AttemptPlace place, BlobCache blobs);

  // Until the worker has left; its exit code, and why it left.
  Exit Run();

 private:
  void Wait();
  void ReadSignals();
  void ReadBroker();
  void ReadLauncher();

  // the broker's messages
  void Take(Message& message);
  void Take(const Welcome& welcome);
  void Take(const HeartbeatReply& reply);
  void Take(std::uint64_t correlation, const ErrorReply& reply);

  // the launcher's events
  void Take(const AttemptStarted& started);
  void Take(const AttemptProgress& progress);
  void Take(const OutputPiece&) {}
  void Take(AttemptSaved& saved);
  void Take(const ValueAsk& ask) { values_.OnAsk(ask, now_); }
  void Take(ValueOffer& offer) { values_.OnOffer(std::move(offer)); }
  void Take(AttemptFinished& finished);

  // effects
  void LoseBroker();
  void PerformEffects();
  void Do(SendToBroker& send);
  void Do(SendHeartbeat&);
  void Do(Connect&);
  void Do(CheckAccess&);
  void Do(StartAttempt& start);
  void Do(KillAttempt& kill);
  void Do(SignalAttempt& notice);
  void Do(SaveAttempt& order);
  void Do(LookForSolvers&);
  void Do(KillAll&);
  void Do(FetchBlob& fetch);
  void Do(UploadBlob& upload);
  void Do(ForgetAttempt& forget);
  void Do(Exit& exit);

  Parts parts_;
  AttemptPlace place_;
  Now now_;  // of this turn
  WorkerCore core_;
  PollLoop poll_;
  BrokerLink link_;
  BlobTransfers transfers_;
  ValueExchange values_;
  PollLoop::Source signal_source_;
  std::optional<PollLoop::Source> launcher_source_;
  std::set<std::uint64_t> solver_attempts_;  // whose bodies may have missing points
  std::string last_connect_error_;           // logged once
  std::optional<Exit> exit_;
};

}  // namespace icarus::worker
