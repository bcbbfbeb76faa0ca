#include "worker/launcher/launcher.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/text.h"
#include "worker/launcher/launcher_codec.h"
#include "worker/launcher/launcher_process.h"

namespace icarus::worker {
namespace {

constexpr Milliseconds kShutdownLimit{10'000};

Error LauncherGone() { return Error::Make(ErrorCode::kUnavailable, "the launcher process has ended"); }

template <class Event>
Status Append(Result<Event> event, std::vector<LauncherEvent>& events) {
  if (!event) return std::move(event).error();
  events.emplace_back(std::move(*event));
  return {};
}

Status AppendEvent(const Frame& frame, std::vector<LauncherEvent>& events) {
  switch (frame.type) {
    case FrameType::kStarted: return Append(DecodeStarted(frame.payload), events);
    case FrameType::kProgress: return Append(DecodeProgress(frame.payload), events);
    case FrameType::kOutput: return Append(DecodePiece(frame.payload), events);
    case FrameType::kSaved: return Append(DecodeSaved(frame.payload), events);
    case FrameType::kAskValues: return Append(DecodeAsk(frame.payload), events);
    case FrameType::kOfferValue: return Append(DecodeOffer(frame.payload), events);
    case FrameType::kFinished: return Append(DecodeFinished(frame.payload), events);
    default: return ProtocolError("the launcher sent a frame of an unknown type");
  }
}

bool IsAbsolute(const std::string& path) { return !path.empty() && path.front() == '/'; }

// False when the process still runs after the limit.
bool WaitForEnd(pid_t pid, Milliseconds limit) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));  // glibc 2.36 declares it for C alone
  if (process) {
    pollfd item{process.get(), POLLIN, 0};
    const Instant deadline = MonotonicNow() + limit;
    while (::poll(&item, 1, PollTimeout(deadline, MonotonicNow())) < 0 && errno == EINTR) {
    }
    if ((item.revents & POLLIN) == 0) return false;
  }
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return true;
}

}  // namespace

Result<Launcher> Launcher::Start(LauncherOptions options) {
  ICARUS_ASSIGN(ChannelPair ends, MakeChannelPair());
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoError("cannot fork the launcher", errno);
  if (pid == 0) ::_exit(ServeAsLauncher(options, ends.second.get()));
  return Launcher(pid, FrameChannel(std::move(ends.first)));
}

Launcher::~Launcher() {
  if (channel_.fd() < 0) return;
  const Status ended = Shutdown();
  static_cast<void>(ended);
}

Status Launcher::StartAttempt(const AttemptSpec& spec) {
  if (!IsAbsolute(spec.scratch_dir) || !IsAbsolute(spec.outbox_dir)) {
    return UsageError("the scratch and outbox directories of an attempt must be absolute paths");
  }
  if (channel_.closed()) return LauncherGone();
  const std::string encoded = EncodeSpec(spec);
  if (encoded.size() > kMaxFramePayload) {
    return UsageError("the attempt has " + FormatSize(encoded.size()) +
                      " of command and inputs, more than the limit of " + FormatSize(kMaxFramePayload));
  }
  channel_.Send(FrameType::kStart, spec.id, encoded);
  return {};
}

Status Launcher::Kill(std::uint64_t id) { return Order(FrameType::kKill, id, {}); }

Status Launcher::Signal(std::uint64_t id, std::int32_t signal) {
  return Order(FrameType::kSignal, id, EncodeSignalOrder({id, signal}));
}

Status Launcher::Save(const SaveOrder& order) { return Order(FrameType::kSave, order.id, EncodeSaveOrder(order)); }

Status Launcher::Answer(const ValueAnswer& answer) {
  return Order(FrameType::kValues, answer.id, EncodeAnswer(answer));
}

Status Launcher::Order(FrameType type, std::uint64_t id, const std::string& payload) {
  if (channel_.closed()) return LauncherGone();
  channel_.Send(type, id, payload);
  return {};
}

Result<std::vector<LauncherEvent>> Launcher::Drain() {
  channel_.Flush();
  channel_.Receive();
  std::vector<LauncherEvent> events;
  while (const auto frame = channel_.Next()) ICARUS_TRY(AppendEvent(*frame, events));
  if (events.empty() && channel_.closed()) return LauncherGone();
  return events;
}

Status Launcher::Shutdown() {
  if (channel_.fd() < 0) return {};
  channel_.Close();
  if (WaitForEnd(pid_, kShutdownLimit)) return {};
  ::kill(pid_, SIGKILL);  // its guardians see that and go on by themselves
  WaitForEnd(pid_, kShutdownLimit);
  return Error::Make(ErrorCode::kInternal, "the launcher did not end in time; what it ran is still being killed");
}

}  // namespace icarus::worker
