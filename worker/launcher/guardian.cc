#include "worker/launcher/guardian.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/files.h"
#include "common/base/text.h"
#include "worker/launcher/command_environment.h"
#include "worker/launcher/process_setup.h"
#include "worker/launcher/scratch.h"

namespace icarus::worker {
namespace {

constexpr Milliseconds kFirstKillPause{2};  // between two rounds of SIGKILL; doubles up to the longest
constexpr Milliseconds kLongestKillPause{100};
constexpr Milliseconds kLivePeriod{50};
// The start of an attempt that ends sooner is told together with its end: one wake-up of launcher and worker instead of
// two.
constexpr Milliseconds kStartDelay{5};
constexpr std::size_t kMostUnsentLive = 1u << 20;  // a launcher that does not keep up gets no live output

TaskError InternalError(std::string message) {
  return {TaskErrorKind::kInternal, std::move(message), std::nullopt, std::nullopt};
}

}  // namespace

Guardian::Guardian(AttemptKind kind, const LauncherOptions& options)
    : kind_(kind), options_(options), launcher_(UniqueFd(kChannelFd)), child_signals_(ChildSignalFd()) {
  BecomeSubreaper();
}

int Guardian::Run() {
  while (!leaving_) {
    Wait();
    if (!orphaned_) launcher_.Receive();
    while (const auto frame = launcher_.Next()) OnFrame(*frame);
    if (launcher_.closed() && !orphaned_) OnLauncherGone();
    if (attempt_ && attempt_->command) ReadOutput();
    OnHostFrames();
    if (attempt_ && attempt_->values) attempt_->values->Serve(polled_);
    OnChildren();
    OnTimers();
    Advance();
  }
  return EXIT_SUCCESS;
}

void Guardian::Wait() {
  polled_.clear();
  polled_.push_back({child_signals_.get(), POLLIN, 0});
  if (!orphaned_) {
    const bool wants_write = launcher_.wants_write() && (!attempt_ || attempt_->tell_start == kNever);
    polled_.push_back({launcher_.fd(), static_cast<short>(POLLIN | (wants_write ? POLLOUT : 0)), 0});
  }
  if (host_ && !host_->channel().closed()) {
    const bool wants_write = host_->channel().wants_write();
    polled_.push_back({host_->channel().fd(), static_cast<short>(POLLIN | (wants_write ? POLLOUT : 0)), 0});
  }
  if (attempt_ && attempt_->command) {
    for (const auto& capture : attempt_->command->captures()) {
      if (capture && capture->fd() >= 0) polled_.push_back({capture->fd(), POLLIN, 0});
    }
  }
  if (attempt_ && attempt_->values) attempt_->values->AddTo(polled_);
  ::poll(polled_.data(), polled_.size(), PollTimeout(NextDeadline(), MonotonicNow()));
  child_ended_ = polled_.front().revents != 0;
}

Instant Guardian::NextDeadline() const {
  Instant next = phase_deadline_;
  if (!attempt_) return next;
  next = std::min({next, attempt_->next_sample, attempt_->tell_start});
  if (attempt_->values) next = std::min(next, attempt_->values->NextDeadline());
  if (attempt_->command) {
    for (const auto& capture : attempt_->command->captures()) {
      if (capture && capture->live_bytes() > 0) next = std::min(next, attempt_->next_live);
    }
  }
  return next;
}

// --- beginning ---

void Guardian::OnFrame(const Frame& frame) {
  if (frame.type == FrameType::kStart && !attempt_) Begin(frame);
  if (!attempt_ || attempt_->spec.id != frame.id) return;
  if (frame.type == FrameType::kKill) Stop();
  if (frame.type == FrameType::kSignal) Notify(frame);
  if (frame.type == FrameType::kSave) Save(frame);
  if (frame.type == FrameType::kValues) PassAnswer(frame);
}

void Guardian::Begin(const Frame& frame) {
  attempt_.emplace();
  family_.ResetUsage();
  auto spec = DecodeSpec(frame.payload);
  attempt_->started = MonotonicNow();
  if (spec) {
    attempt_->spec = std::move(*spec);
    attempt_->start_error = kind_ == AttemptKind::kCommand ? BeginCommand() : BeginSolver(frame);
  } else {
    attempt_->spec.id = frame.id;
    attempt_->start_error = InternalError(spec.error().message);
  }
  if (attempt_->start_error.kind != TaskErrorKind::kNone) {
    Conclude();
    return;
  }
  phase_ = Phase::kRunning;
  phase_deadline_ = kNever;
  if (attempt_->spec.memory_limit_bytes > 0) attempt_->next_sample = attempt_->started + options_.memory_sample;
  attempt_->tell_start = attempt_->started + kStartDelay;
  launcher_.Queue(FrameType::kStarted, frame.id, EncodeStarted({frame.id, attempt_->main_pid}));
}

TaskError Guardian::BeginCommand() {
  const Status created = CreateScratch(attempt_->spec);
  if (!created) return InternalError(created.error().message);
  attempt_->has_scratch = true;
  OpenValues();
  attempt_->command = std::make_unique<CommandAttempt>(attempt_->spec, options_);
  StartedProgram started = attempt_->command->Start();
  attempt_->main_pid = started.pid;
  attempt_->started = MonotonicNow();
  if (started.pid > 0) family_.Expect();
  return std::move(started.error);
}

// A command that cannot have a socket runs without: what it would find there it can compute.
void Guardian::OpenValues() {
  AttemptSpec& spec = attempt_->spec;
  if (spec.values_socket.empty()) return;
  auto opened = ValueSocket::Open(spec.values_socket, spec.id, launcher_);
  if (!opened) return;
  attempt_->values = std::move(*opened);
  spec.environment[kValuesVariable] = spec.values_socket;
}

TaskError Guardian::BeginSolver(const Frame& frame) {
  const Status created = CreateScratch(attempt_->spec);
  if (!created) return InternalError(created.error().message);
  attempt_->has_scratch = true;
  if (!host_) {
    auto host = SolverHost::Fork(options_);
    if (!host) return InternalError(host.error().message);
    host_ = std::move(*host);
    family_.Expect();
  }
  attempt_->main_pid = host_->pid();
  attempt_->charged_before_s = host_->charged_cpu_s;
  attempt_->started = MonotonicNow();
  host_->channel().Send(FrameType::kStart, frame.id, frame.payload);
  return {};
}

// --- while it runs ---

bool Guardian::ReadOutput() {
  bool any = false;
  for (auto& capture : attempt_->command->captures()) any = (capture && capture->Read()) || any;
  return any;
}

void Guardian::SendLiveOutput(bool all) {
  const Instant now = MonotonicNow();
  if (!attempt_->spec.stream_output || (!all && now < attempt_->next_live)) return;
  for (std::size_t i = 0; i < attempt_->command->captures().size(); ++i) {
    auto& capture = attempt_->command->captures()[i];
    if (!capture || capture->live_bytes() == 0) continue;
    attempt_->next_live = now + kLivePeriod;
    auto piece = capture->TakeLive();
    if (launcher_.unsent_bytes() > kMostUnsentLive) continue;
    const std::uint64_t id = attempt_->spec.id;
    launcher_.Send(FrameType::kOutput, id,
                   EncodePiece({id, static_cast<OutputStream>(i), piece.offset, std::move(piece.bytes)}));
  }
}

void Guardian::Notify(const Frame& frame) {
  const auto order = DecodeSignalOrder(frame.payload);
  if (!order || phase_ != Phase::kRunning || !attempt_->command || attempt_->end.status) return;
  attempt_->end.noticed = true;
  ::kill(attempt_->main_pid, order->signal);
}

void Guardian::Save(const Frame& frame) {
  const auto order = DecodeSaveOrder(frame.payload);
  if (!order || phase_ != Phase::kRunning || !attempt_->command || saver_ >= 0) return;
  saved_path_ = order->directory + "/.saved";
  saver_ = ::fork();
  if (saver_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ResetSignalsForHelper();
  Outbox outbox(order->directory, order->save, Outbox::Inline::kNothing);
  AttemptSaved saved;
  saved.id = order->save;
  saved.files = attempt_->command->CollectKept(outbox, /*may_take=*/false, saved.problem);
  saved.blobs = outbox.TakeBlobs();
  const bool told =
      MakeDirectories(order->directory, 0700) && WriteFileAtomically(saved_path_, EncodeSaved(saved), 0600);
  ::_exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
}

void Guardian::FinishSave(int status) {
  saver_ = -1;
  if (!attempt_ || phase_ != Phase::kRunning || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return;
  const Result<std::string> told = ReadFile(saved_path_, kMaxFramePayload);
  const auto saved = told ? DecodeSaved(*told) : Result<AttemptSaved>(told.error());
  if (saved) launcher_.Send(FrameType::kSaved, saved->id, *told);
}

void Guardian::PassAnswer(const Frame& frame) {
  if (host_) host_->channel().Send(frame.type, frame.id, frame.payload);
  if (!attempt_->values) return;
  if (const auto answer = DecodeAnswer(frame.payload)) attempt_->values->OnAnswer(*answer);
}

void Guardian::OnHostFrames() {
  if (!host_) return;
  host_->channel().Flush();
  host_->channel().Receive();
  while (const auto frame = host_->channel().Next()) {
    if (!attempt_ || frame->id != attempt_->spec.id) continue;
    if (frame->type == FrameType::kProgress && launcher_.unsent_bytes() < kMostUnsentLive) {
      launcher_.Send(FrameType::kProgress, frame->id, frame->payload);
    } else if (frame->type == FrameType::kAskValues || frame->type == FrameType::kOfferValue) {
      launcher_.Send(frame->type, frame->id, frame->payload);
    } else if (frame->type == FrameType::kOutcome) {
      auto outcome = DecodeOutcome(frame->payload);
      attempt_->ended = MonotonicNow();
      attempt_->outcome = outcome ? std::move(*outcome) : HostOutcome::Failed(InternalError(outcome.error().message));
    }
  }
}

void Guardian::OnChildren() {
  if (!child_ended_) return;
  DrainSignalFd(child_signals_.get());
  for (const auto& child : family_.Reap()) {
    if (attempt_ && child.pid == attempt_->main_pid) {
      attempt_->end.status = child.status;
      if (!attempt_->ended) attempt_->ended = MonotonicNow();
    }
    if (child.pid == saver_) FinishSave(child.status);
    if (host_ && child.pid == host_->pid()) {
      OnHostFrames();  // its last words
      host_.reset();
    }
  }
}

void Guardian::OnTimers() {
  if (attempt_ && attempt_->command) SendLiveOutput(false);
  const Instant now = MonotonicNow();
  if (!attempt_ || now >= attempt_->tell_start) {
    launcher_.Flush();
    if (attempt_) attempt_->tell_start = kNever;
  }
  if (!attempt_) return;
  if (now < attempt_->next_sample) return;
  attempt_->next_sample = now + options_.memory_sample;
  if (phase_ != Phase::kKilling) SampleMemory();
}

void Guardian::SampleMemory() {
  const auto footprint = ProcessFamily::Measure();
  attempt_->sampled_peak = std::max(attempt_->sampled_peak, footprint.bytes);
  const auto limit = static_cast<std::uint64_t>(attempt_->spec.memory_limit_bytes);
  if (footprint.bytes <= limit) return;
  if (!attempt_->end.killed) {
    attempt_->end.over_memory = "used " + FormatSize(footprint.bytes) + " of the " + FormatSize(limit) +
                                " of memory that it may use (" + std::to_string(footprint.processes) + " processes)";
  }
  StartKilling();
}

// --- ending ---

void Guardian::Stop() {
  if (phase_ != Phase::kRunning) return;  // it is ending already
  attempt_->end.killed = true;
  if (attempt_->spec.grace_ms <= 0) {
    StartKilling();
    return;
  }
  phase_ = Phase::kStopping;
  phase_deadline_ = MonotonicNow() + Milliseconds(attempt_->spec.grace_ms);
  ProcessFamily::Signal(SIGTERM);
}

void Guardian::StartKilling() {
  if (phase_ == Phase::kKilling) return;
  phase_ = Phase::kKilling;
  phase_deadline_ = Instant(0);  // at once, in Advance
  kill_pause_ = kFirstKillPause;
}

void Guardian::OnLauncherGone() {
  orphaned_ = true;
  launcher_.Close();
  if (family_.empty()) {
    leaving_ = true;  // idle: an attempt has processes
  } else {
    StartKilling();
  }
}

void Guardian::Advance() {
  if (phase_ == Phase::kIdle) return;
  if (phase_ == Phase::kRunning) AdvanceRunning();
  if (phase_ == Phase::kIdle) return;
  if (phase_ != Phase::kRunning && family_.empty()) {
    Conclude();
    return;
  }
  const Instant now = MonotonicNow();
  if (now < phase_deadline_) return;
  if (phase_ != Phase::kKilling) StartKilling();
  ProcessFamily::Signal(SIGKILL);
  phase_deadline_ = now + kill_pause_;
  kill_pause_ = std::min<Instant>(2 * kill_pause_, kLongestKillPause);
}

void Guardian::AdvanceRunning() {
  if (attempt_->outcome && !attempt_->outcome->retire) {
    Conclude();  // the host stays for the next attempt
  } else if (kind_ == AttemptKind::kSolver) {
    const bool lost = !host_ || host_->channel().closed();
    if (attempt_->outcome || lost) StartKilling();
  } else if (attempt_->end.status) {
    phase_ = Phase::kLingering;
    phase_deadline_ = MonotonicNow() + options_.leftover_grace;
  }
}

}  // namespace icarus::worker
