#include "worker/launcher/launcher_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "worker/launcher/guardian.h"
#include "worker/launcher/launcher_codec.h"
#include "worker/launcher/outbox.h"
#include "worker/launcher/process_setup.h"
#include "worker/launcher/scratch.h"

namespace icarus::worker {
namespace {

constexpr Milliseconds kStrayPause{5};
constexpr std::size_t kMostUnsent = 4u << 20;  // a worker that does not keep up gets no live output and progress

bool MayBeDropped(FrameType type) { return type == FrameType::kOutput || type == FrameType::kProgress; }

int ServeAsGuardian(AttemptKind kind, const LauncherOptions& options, int channel) {
  KeepOnlyChannel(channel);
  ::prctl(PR_SET_NAME, "icarus-guardian");
  return Guardian(kind, options).Run();
}

}  // namespace

int ServeAsLauncher(const LauncherOptions& options, int channel) {
  KeepOnlyChannel(channel);
  ::setsid();  // what a terminal sends to the worker's group is the worker's to decide on
  ::prctl(PR_SET_NAME, "icarus-launcher");
  ResetSignalsForHelper();
  ForbidCoreFiles();
  BecomeSubreaper();
  if (::chdir("/") != 0) return EXIT_FAILURE;
  return LauncherProcess(options).Run();
}

LauncherProcess::LauncherProcess(const LauncherOptions& options)
    : options_(options), worker_(UniqueFd(kChannelFd)), child_signals_(ChildSignalFd()) {}

int LauncherProcess::Run() {
  while (!worker_gone_ || !guardians_.empty() || !lost_.empty()) {
    Wait();
    if (!worker_gone_) worker_.Receive();
    while (const auto frame = worker_.Next()) OnWorkerFrame(*frame);
    for (auto& slot : guardians_) {
      if (slot->ready) OnGuardianFrames(*slot);
    }
    OnChildren();
    if (MonotonicNow() >= next_stray_walk_) KillStrays();
    EndIdleGuardians();
    worker_.Flush();
    if (worker_.closed() && !worker_gone_) OnWorkerGone();
  }
  return EXIT_SUCCESS;
}

void LauncherProcess::Wait() {
  polled_.clear();
  polled_.push_back({child_signals_.get(), POLLIN, 0});
  const auto add = [this](const FrameChannel& channel) {
    const int fd = channel.closed() ? -1 : channel.fd();  // poll passes over −1
    polled_.push_back({fd, static_cast<short>(POLLIN | (channel.wants_write() ? POLLOUT : 0)), 0});
  };
  add(worker_);
  for (const auto& slot : guardians_) add(slot->channel);
  ::poll(polled_.data(), polled_.size(), PollTimeout(NextDeadline(), MonotonicNow()));
  child_ended_ = polled_.front().revents != 0;
  for (std::size_t i = 0; i < guardians_.size(); ++i) guardians_[i]->ready = polled_[i + 2].revents != 0;
}

Instant LauncherProcess::NextDeadline() const {
  Instant next = next_stray_walk_;
  for (const auto& slot : guardians_) {
    if (!slot->work && !slot->channel.closed()) next = std::min<Instant>(next, slot->idle_since + options_.idle_limit);
  }
  return next;
}

// --- attempts ---

void LauncherProcess::OnWorkerFrame(const Frame& frame) {
  if (frame.type == FrameType::kStart) return StartAttempt(frame);
  for (auto& slot : guardians_) {
    if (!slot->work || slot->work->id != frame.id) continue;
    if (frame.type == FrameType::kKill) slot->work->kill_asked = true;
    slot->channel.Send(frame.type, frame.id, frame.payload);
  }
}

void LauncherProcess::StartAttempt(const Frame& frame) {
  const auto spec = DecodeSpec(frame.payload);
  if (!spec) {
    Refuse(frame.id, spec.error().message);
    return;
  }
  GuardianSlot* slot = IdleGuardian(spec->kind);
  if (slot == nullptr) {
    auto forked = ForkGuardian(spec->kind);
    if (!forked) {
      Refuse(frame.id, forked.error().message);
      return;
    }
    slot = *forked;
  }
  slot->work = Assignment{frame.id, spec->scratch_dir, spec->outbox_dir, spec->values_socket};
  slot->channel.Send(FrameType::kStart, frame.id, frame.payload);
}

// The one that was busy last: the others grow idle and end.
LauncherProcess::GuardianSlot* LauncherProcess::IdleGuardian(AttemptKind kind) {
  GuardianSlot* best = nullptr;
  for (const auto& slot : guardians_) {
    if (slot->kind != kind || slot->work || slot->channel.closed()) continue;
    if (best == nullptr || slot->idle_since > best->idle_since) best = slot.get();
  }
  return best;
}

Result<LauncherProcess::GuardianSlot*> LauncherProcess::ForkGuardian(AttemptKind kind) {
  ICARUS_ASSIGN(ChannelPair ends, MakeChannelPair());
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoError("cannot start a process", errno);
  if (pid == 0) ::_exit(ServeAsGuardian(kind, options_, ends.second.get()));
  auto slot = std::make_unique<GuardianSlot>();
  slot->pid = pid;
  slot->kind = kind;
  slot->channel = FrameChannel(std::move(ends.first));
  guardians_.push_back(std::move(slot));
  return guardians_.back().get();
}

void LauncherProcess::OnGuardianFrames(GuardianSlot& slot) {
  slot.channel.Flush();
  slot.channel.Receive();
  while (const auto frame = slot.channel.Next()) {
    if (frame->type == FrameType::kFinished) {
      slot.work.reset();
      slot.idle_since = MonotonicNow();
    }
    if (MayBeDropped(frame->type) && worker_.unsent_bytes() > kMostUnsent) continue;
    worker_.Queue(frame->type, frame->id, frame->payload);
  }
}

void LauncherProcess::Refuse(std::uint64_t id, const std::string& why) {
  AttemptFinished finished;
  finished.id = id;
  finished.error = {TaskErrorKind::kInternal, why, std::nullopt, std::nullopt};
  worker_.Queue(FrameType::kFinished, id, EncodeFinished(finished));
}

// --- endings ---

void LauncherProcess::OnWorkerGone() {
  worker_gone_ = true;
  worker_.Close();
  for (auto& slot : guardians_) slot->channel.Close();  // they kill what they guard, and end
}

void LauncherProcess::EndIdleGuardians() {
  const Instant now = MonotonicNow();
  for (auto& slot : guardians_) {
    if (slot->work || slot->channel.closed() || now < slot->idle_since + options_.idle_limit) continue;
    slot->channel.Close();
  }
}

void LauncherProcess::OnChildren() {
  if (!child_ended_) return;
  DrainSignalFd(child_signals_.get());
  for (const auto& child : family_.Reap()) {
    const auto is_it = [&](const auto& slot) { return slot->pid == child.pid; };
    const auto found = std::find_if(guardians_.begin(), guardians_.end(), is_it);
    if (found == guardians_.end()) continue;  // a stray
    OnGuardianEnded(static_cast<std::size_t>(found - guardians_.begin()), child.status);
  }
}

void LauncherProcess::OnGuardianEnded(std::size_t index, int status) {
  GuardianSlot& slot = *guardians_[index];
  OnGuardianFrames(slot);  // what it sent before it ended
  if (slot.work) {
    slot.work->guardian_status = status;
    lost_.push_back(std::move(*slot.work));
  }
  guardians_.erase(guardians_.begin() + static_cast<std::ptrdiff_t>(index));
  // One that ends by itself has seen to its descendants.
  if (status != 0 || !lost_.empty()) next_stray_walk_ = Instant(0);
}

void LauncherProcess::KillStrays() {
  std::vector<pid_t> guarded;
  for (const auto& slot : guardians_) guarded.push_back(slot->pid);
  if (ProcessFamily::Signal(SIGKILL, guarded) > 0) {
    next_stray_walk_ = MonotonicNow() + kStrayPause;
    return;
  }
  next_stray_walk_ = kNever;
  for (const auto& work : lost_) ReportLost(work);
  lost_.clear();
}

void LauncherProcess::ReportLost(const Assignment& work) {
  RemoveScratch(work.scratch_dir);
  if (!work.values_socket.empty()) ::unlink(work.values_socket.c_str());
  Outbox::RemoveTemporaries(work.outbox_dir, work.id);
  AttemptFinished finished;
  finished.id = work.id;
  finished.killed = work.kill_asked;
  // Something killed the guardian: the kernel for want of memory, an operator, or the program itself. Counted as a
  // crash, so that a program that does this every time is not tried for ever.
  finished.error.kind = work.kill_asked ? TaskErrorKind::kCancelled : TaskErrorKind::kSolverCrashed;
  finished.error.message = "the process that watches over the attempt ended unexpectedly";
  if (WIFSIGNALED(work.guardian_status)) {
    finished.error.signal = WTERMSIG(work.guardian_status);
    finished.error.message += " by signal " + SignalText(*finished.error.signal);
  }
  worker_.Queue(FrameType::kFinished, work.id, EncodeFinished(finished));
}

}  // namespace icarus::worker
