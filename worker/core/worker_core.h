// WorkerCore: what a worker does about everything that happens to it. A state machine: events come in with the time,
// effects come out; no clock, socket, file, process or log within. One thread.
//
// A turn of the program: hand over all events that wait, OnTick, then carry out TakeEffects until it is empty; sleep
// until NextDeadline or the next event.
//
// The promises: a dispatched execution ends at this worker in exactly one of a result, kept until the broker has
// acknowledged it; a return, unstarted or by politeness; or without a word when the broker did not want it any more.
// More slots than there are are never in use. Attempts run on while the broker is away.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/error.h"
#include "worker/core/attempt.h"
#include "worker/core/attempt_table.h"
#include "worker/core/broker_session.h"
#include "worker/core/effects.h"
#include "worker/core/noop.h"
#include "worker/core/result_spool.h"
#include "worker/core/timing.h"

namespace icarus::worker {

struct CoreOptions {
  Hello hello;  // REQUIRES hello.worker; what this worker is. `held` and what was seen of the store are filled in
  Instant drain = Milliseconds(10'000);                // where a signal does not say; also after the limits below
  std::optional<Instant> time_limit;                   // since Start
  std::optional<Instant> idle_timeout;                 // holding nothing
  std::uint64_t seed = 0;                              // of the jitter
  std::function<Body(std::uint64_t bytes)> noop_body;  // an encoded ResultBody of about that size; pure
  Timing timing;
};

class WorkerCore {
 public:
  explicit WorkerCore(CoreOptions options);

  void Start(const Now& now);

  // --- the connection
  void OnConnected(const Now& now);
  void OnConnectFailed(const Now& now);
  void OnDisconnected(const Now& now);
  void OnHeard(const Now& now) { session_.OnHeard(now.monotonic); }  // any message of the broker

  // --- the broker's messages
  void OnWelcome(const Welcome& welcome, const Now& now);
  void OnHelloRefused(const ErrorReply& reply, const Now& now);
  void OnHeartbeatReply(const HeartbeatReply& reply, const Now& now);
  void OnDispatch(Dispatch dispatch, const Now& now);
  void OnStopExecutions(const StopExecutions& stop, const Now& now);
  void OnResultsAck(const ResultsAck& ack);

  // --- the launcher and the transfers; events of attempts that are not known any more are ignored
  void OnAttemptProgress(AttemptId id, double fraction, std::string message);
  void OnAttemptFinished(AttemptId id, AttemptEnd end, const Now& now);
  void OnAttemptSaved(AttemptId save, std::vector<FileRef> files, const std::vector<OutputBlob>& blobs);
  // What this worker can use now, by name: identities, and why not. The broker is told.
  void OnSolvers(std::map<std::string, std::string> usable, std::map<std::string, std::string> unusable,
                 const Now& now);
  void OnLauncherLost(const Now& now);  // nothing can be started any more: gives all back and leaves
  void OnBlobFetched(const ContentHash& hash, const std::optional<Error>& error, const Now& now);
  void OnBlobUploaded(AttemptId id, const std::optional<Error>& error, const Now& now);

  // --- the operator. The second time: at once.
  void OnDrain(std::optional<Instant> limit, const Now& now);

  void OnTick(const Now& now);
  std::vector<Effect> TakeEffects(const Now& now);
  // When OnTick is wanted next; nothing: never.
  std::optional<Instant> NextDeadline();

  const AttemptTable& attempts() const { return attempts_; }
  const ResultSpool& spool() const { return spool_; }
  bool is_up() const { return session_.is_up(); }
  bool leaving() const { return leave_.has_value(); }
  std::size_t held() const { return attempts_.size() + spool_.size(); }
  std::string Broken() const;  // empty, or the invariant that does not hold; for tests

 private:
  struct Leave {
    std::string reason;
    int code = 0;
    Instant kill_at{0};   // what still runs is killed and given back
    Instant force_at{0};  // gone by then, whatever hangs
    bool killed = false;
    std::optional<Instant> acks_until;  // nothing runs any more
  };

  void Do(const std::vector<BrokerSession::Step>& steps, const Now& now);
  Hello MakeHello(const Now& now) const;
  void Emit(AnyMessage payload) { effects_.push_back(SendToBroker{std::move(payload), {}}); }
  bool TakesWork() const { return !leave_ && !broker_drains_; }

  // attempts (worker_core_attempts.cc)
  void Accept(const std::shared_ptr<const DispatchGroup>& group, DispatchTask task, const Now& now);
  bool IsKnown(const DispatchTask& task);
  void StartWaiting(const Now& now);
  void Begin(Attempt& attempt, const Now& now);
  void BeginNoop(Attempt& attempt, const Now& now);
  std::size_t RequestInputs(const Attempt& attempt);
  static bool IsOnlyKept(const Attempt& attempt, const ContentHash& hash);
  void Launch(Attempt& attempt, const Now& now);
  void OnAlarm(Attempt& attempt, const Now& now);
  void EndSleep(Attempt& attempt, bool timed_out, const Now& now);
  void Stop(Attempt& attempt, StopReason reason, const Now& now);
  void StopProcess(Attempt& attempt, StopReason reason);
  void EndUnstarted(Attempt& attempt, StopReason reason, const Now& now);
  void GiveBack(Attempt& attempt);
  void Drop(Attempt& attempt);
  void Conclude(Attempt& attempt, AttemptEnd end, const Now& now);
  void KeepResult(Attempt& attempt, AttemptEnd end, const Now& now);
  void Fail(Attempt& attempt, TaskErrorKind kind, std::string message, const Now& now);
  void ForgetResult(ExecutionId execution);
  void GiveBackQueued();
  void EndStopped(Attempt& attempt, AttemptEnd end, const Now& now);

  // what goes on in the next attempt (worker_core_keep.cc)
  std::optional<Instant> StopAt(const Attempt& attempt) const;
  std::optional<Instant> NoticeAt(const Attempt& attempt) const;
  bool ComesTooLate(const DispatchGroup& group, const Now& now) const;
  void Rearm(Attempt& attempt);
  void RearmAll();
  void OnRunningAlarm(Attempt& attempt, const Now& now);
  void BeginSave(Attempt& attempt);
  bool OnSaveUploaded(AttemptId save, const std::optional<Error>& error);
  void FinishSave(Attempt& attempt, bool stored);
  void DropSave(Attempt& attempt);

  // leaving (worker_core_leave.cc)
  void BeginLeave(std::string reason, int code, Instant limit, const Now& now);
  void TickLeave(const Now& now);
  void KillForLeave(const Now& now);
  void FinishLeave(const Now& now);
  void GoNow(const Now& now);

  // sending
  void SendEvents(const Now& now);
  void CollectProgress(TaskEvents& events, const Now& now);
  void NoteIdle(const Now& now);

  CoreOptions options_;
  BrokerSession session_;
  AttemptTable attempts_;
  ResultSpool spool_;
  std::vector<Effect> effects_;
  std::vector<AttemptId> started_;                         // since the last TaskEvents
  std::vector<HeldExecution> returned_;                    // not told yet; survives a reconnection
  std::map<ContentHash, std::vector<AttemptId>> fetches_;  // who waits for a file
  std::set<AttemptId> with_progress_;                      // that have some to report
  std::map<AttemptId, AttemptId> saves_;                   // under way, and of which attempt
  std::vector<SavedFiles> saved_;                          // not told yet
  bool probing_ = false;                                   // OnSolvers follows
  bool welcomed_once_ = false;
  bool broker_drains_ = false;
  bool exited_ = false;
  std::optional<Leave> leave_;
  std::optional<Instant> limit_at_;
  std::optional<Instant> idle_since_;
};

}  // namespace icarus::worker
