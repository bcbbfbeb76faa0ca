// The guardian: a process that runs one attempt after another and answers for every process they start.
//
// It is forked by the launcher, talks through kChannelFd (kStart, kKill, kSignal, kSave, kValues in; kStarted,
// kProgress, kOutput, kSaved, kAskValues, kOfferValue, kFinished out) and is the subreaper of its attempts, so that
// nothing they start can get away from it: an attempt has ended when waitpid says that there is no child left. When its
// channel closes it kills what runs, removes the scratch directory and exits.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/launcher/attempt.h"
#include "worker/launcher/command_attempt.h"
#include "worker/launcher/deadline.h"
#include "worker/launcher/frame_channel.h"
#include "worker/launcher/launcher_codec.h"
#include "worker/launcher/launcher_options.h"
#include "worker/launcher/process_family.h"
#include "worker/launcher/solver_host.h"
#include "worker/launcher/value_socket.h"

namespace icarus::worker {

class Guardian {
 public:
  // All attempts it is given are of this kind. `options` outlives it.
  Guardian(AttemptKind kind, const LauncherOptions& options);

  // Until the channel closes. Returns the exit code.
  int Run();

 private:
  enum class Phase {
    kIdle,
    kRunning,
    kLingering,  // the command itself has ended, descendants of it have not: they have a moment to
    kStopping,   // SIGTERM was sent, SIGKILL follows at the deadline
    kKilling,    // SIGKILL is sent again and again until nobody is left
  };

  struct Attempt {
    AttemptSpec spec;
    std::unique_ptr<CommandAttempt> command;
    std::unique_ptr<ValueSocket> values;  // of a command; null: it runs without
    bool has_scratch = false;
    pid_t main_pid = -1;  // the program, or the host
    TaskError start_error;
    ProgramEnd end;
    std::optional<HostOutcome> outcome;
    Instant started{0};
    std::optional<Instant> ended;
    Instant tell_start = kNever;  // when kStarted, which is queued, is to be on its way at the latest
    Instant next_sample = kNever;
    Instant next_live{0};
    std::uint64_t sampled_peak = 0;
    double charged_before_s = 0;  // CPU time of the host that earlier attempts have been charged with
  };

  // Events
  void OnFrame(const Frame& frame);
  void OnLauncherGone();
  void OnHostFrames();
  void OnChildren();
  void OnTimers();

  // Steps
  void Wait();
  Instant NextDeadline() const;
  void Begin(const Frame& frame);
  TaskError BeginCommand();
  TaskError BeginSolver(const Frame& frame);
  void OpenValues();
  void PassAnswer(const Frame& frame);
  void Stop();
  void Notify(const Frame& frame);
  void Save(const Frame& frame);
  void FinishSave(int status);
  void StartKilling();
  void Advance();
  void AdvanceRunning();
  void SampleMemory();
  bool ReadOutput();
  void SendLiveOutput(bool all);

  // The end (guardian_finish.cc)
  void Conclude();
  AttemptFinished Describe();
  void FinishCommand(AttemptFinished& out);
  void FinishSolver(AttemptFinished& out);

  const AttemptKind kind_;
  const LauncherOptions& options_;
  FrameChannel launcher_;
  UniqueFd child_signals_;
  ProcessFamily family_;
  std::unique_ptr<SolverHost> host_;
  std::optional<Attempt> attempt_;
  // A child of its own copies the files to be kept: meanwhile the attempt can be stopped, and is watched.
  pid_t saver_ = -1;
  std::string saved_path_;  // what the saver has to say
  Phase phase_ = Phase::kIdle;
  Instant phase_deadline_ = kNever;
  Instant kill_pause_{0};
  bool orphaned_ = false;  // the launcher is gone: nobody waits for results
  bool leaving_ = false;
  bool child_ended_ = false;  // by poll
  std::vector<pollfd> polled_;
};

}  // namespace icarus::worker
