#include "worker/worker_loop.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/base/crash_point.h"
#include "common/base/files.h"
#include "common/base/logging.h"
#include "common/model/limits.h"
#include "common/protocol/codec.h"
#include "common/protocol/result_codec.h"
#include "worker/usable_solvers.h"

namespace icarus::worker {
namespace {

constexpr std::uint64_t kHelloCorrelation = 1;  // below those of the transfers
constexpr Milliseconds kFarewell(2'000);        // for the last messages to leave

std::vector<OutputBlob> ToOutputBlobs(const std::vector<BlobFile>& files) {
  std::vector<OutputBlob> blobs;
  for (const BlobFile& file : files) blobs.push_back(OutputBlob{file.hash, file.size, file.path});
  return blobs;
}

}  // namespace

WorkerLoop::WorkerLoop(Parts parts, CoreOptions options, AttemptPlace place, BlobCache blobs)
    : parts_(parts),
      place_(std::move(place)),
      now_(ReadClocks()),
      core_(std::move(options)),
      link_(parts_.context, poll_),
      transfers_(
          std::move(blobs),
          BlobTransfers::Callbacks{
              [this](Message message) { link_.Send(std::move(message)); },
              [this](const ContentHash& hash, const auto& error) { core_.OnBlobFetched(hash, error, now_); },
              [this](std::uint64_t owner, const auto& error) { core_.OnBlobUploaded(AttemptId(owner), error, now_); }}),
      values_({[this](Message message) { link_.Send(std::move(message)); },
               [this](const ValueAnswer& answer) {
                 if (const Status told = parts_.launcher.Answer(answer); !told) LogDebug("an answer finds no launcher");
               }}),
      signal_source_(poll_.Add(parts_.signals.fd())),
      launcher_source_(poll_.Add(parts_.launcher.fd())) {}

Exit WorkerLoop::Run() {
  core_.Start(now_);
  PerformEffects();
  while (!exit_) {
    Wait();
    now_ = ReadClocks();
    ReadSignals();
    ReadBroker();
    ReadLauncher();
    core_.OnTick(now_);
    transfers_.OnTick(now_);
    PerformEffects();
  }
  if (!link_.FlushWithin(kFarewell)) LogWarning("the broker did not take the last messages");
  return *exit_;
}

void WorkerLoop::Wait() {
  std::optional<Instant> next = core_.NextDeadline();
  if (const auto transfer = transfers_.NextDeadline(); transfer && (!next || *transfer < *next)) next = transfer;
  if (launcher_source_) {
    const bool wants_write = parts_.launcher.WantsWrite();
    poll_.SetEvents(*launcher_source_, wants_write ? PollLoop::kReadable | PollLoop::kWritable : PollLoop::kReadable);
  }
  std::optional<Instant> left;
  if (next) left = std::max(*next - ReadClocks().monotonic, Instant(0));
  if (const Status waited = poll_.Wait(left); !waited) LogError("cannot wait", {{"why", waited.error().message}});
}

void WorkerLoop::ReadSignals() {
  if (!poll_.Readable(signal_source_)) return;
  while (const auto signal = parts_.signals.Read()) {
    std::optional<Instant> limit;
    // What `down --drain` sends along, in milliseconds.
    if (signal->number == SIGTERM && signal->value && *signal->value >= 0) limit = Milliseconds(*signal->value);
    LogInfo("asked to end", {{"signal", signal->number}, {"sender", signal->sender}, {"held", core_.held()}});
    core_.OnDrain(limit, now_);
  }
}

void WorkerLoop::ReadBroker() {
  link_.Flush();
  for (std::size_t i = 0; i < limits::kMessagesPerTurn; ++i) {
    std::optional<Result<Message>> received = link_.Receive();
    if (!received) return;
    core_.OnHeard(now_);
    if (!*received) {
      LogWarning("message of the broker refused", {{"why", received->error().message}});
      continue;
    }
    Message& message = **received;
    if (transfers_.OnMessage(message, now_) || values_.OnMessage(message, now_)) continue;
    if (message.payload.is<Dispatch>()) CrashPoint("worker.dispatch");
    if (message.payload.is<ResultsAck>()) CrashPoint("worker.acknowledged");
    Take(message);
  }
}

void WorkerLoop::Take(Message& message) {
  AnyMessage& payload = message.payload;
  switch (payload.type()) {
    case Welcome::kType: return Take(payload.get<Welcome>());
    case ErrorReply::kType: return Take(message.correlation, payload.get<ErrorReply>());
    case HeartbeatReply::kType: return Take(payload.get<HeartbeatReply>());
    case Dispatch::kType: return core_.OnDispatch(std::move(payload.get<Dispatch>()), now_);
    case StopExecutions::kType: return core_.OnStopExecutions(payload.get<StopExecutions>(), now_);
    case ResultsAck::kType: return core_.OnResultsAck(payload.get<ResultsAck>());
    default: LogWarning("message that no worker expects", {{"message", MessageTypeName(payload.type())}});
  }
}

void WorkerLoop::Take(const Welcome& welcome) {
  LogInfo("welcomed by the broker",
          {{"broker", welcome.broker}, {"held", core_.held()}, {"unknown", welcome.unknown.size()}});
  core_.OnWelcome(welcome, now_);
  transfers_.OnUp(now_);
  values_.OnUp();
  parts_.ready.Ready();
}

void WorkerLoop::Take(const HeartbeatReply& reply) {
  values_.OnGeneration(reply.cache_generation);
  core_.OnHeartbeatReply(reply, now_);
}

void WorkerLoop::LoseBroker() {
  transfers_.OnDown();
  values_.OnDown();
}

void WorkerLoop::Take(std::uint64_t correlation, const ErrorReply& reply) {
  LogWarning("the broker refused a message", {{"why", reply.message}});
  if (correlation == kHelloCorrelation) core_.OnHelloRefused(reply, now_);
}

void WorkerLoop::ReadLauncher() {
  if (!launcher_source_) return;
  Result<std::vector<LauncherEvent>> events = parts_.launcher.Drain();
  if (!events) {
    LogError("the launcher has ended; this worker cannot run anything any more", {{"why", events.error().message}});
    poll_.Remove(*launcher_source_);
    launcher_source_.reset();
    core_.OnLauncherLost(now_);
    return;
  }
  for (LauncherEvent& event : *events) std::visit([&](auto& one) { Take(one); }, event);
}

void WorkerLoop::Take(const AttemptStarted& started) {
  LogDebug("attempt started", {{"attempt", started.id}, {"pid", started.pid}});
}

void WorkerLoop::Take(const AttemptProgress& progress) {
  core_.OnAttemptProgress(AttemptId(progress.id), progress.fraction, progress.message);
}

void WorkerLoop::Take(AttemptSaved& saved) {
  if (!saved.problem.empty()) LogWarning("files to keep", {{"save", saved.id}, {"why", saved.problem}});
  core_.OnAttemptSaved(AttemptId(saved.id), std::move(saved.files), ToOutputBlobs(saved.blobs));
}

void WorkerLoop::Take(AttemptFinished& finished) {
  CrashPoint("worker.finished");
  LogDebug("attempt finished", {{"attempt", finished.id},
                                {"error", TaskErrorName(finished.error.kind)},
                                {"run_s", finished.run_s},
                                {"killed", finished.killed}});
  values_.End(finished.id);
  AttemptEnd end;
  end.error = std::move(finished.error);
  if (solver_attempts_.erase(finished.id) == 1 && !finished.body.empty()) {
    const Result<ResultBody> body = DecodeResultBody(finished.body);
    end.incomplete = body && !body->missing.empty();
  }
  if (!finished.body.empty()) end.body = std::make_shared<const std::string>(std::move(finished.body));
  end.blobs = ToOutputBlobs(finished.blobs);
  end.kept = std::move(finished.kept);
  end.keep_problem = std::move(finished.keep_problem);
  if (!end.keep_problem.empty()) LogWarning("files to keep", {{"attempt", finished.id}, {"why", end.keep_problem}});
  end.cacheable = finished.cacheable;
  end.solver_changed = finished.solver_changed;
  end.output_tail = std::move(finished.output_tail);
  end.run_s = finished.run_s;
  end.cpu_s = finished.cpu_s;
  end.max_rss_bytes = finished.max_rss_bytes;
  end.killed = finished.killed;
  core_.OnAttemptFinished(AttemptId(finished.id), std::move(end), now_);
}

void WorkerLoop::PerformEffects() {
  for (auto effects = core_.TakeEffects(now_); !effects.empty() && !exit_; effects = core_.TakeEffects(now_)) {
    for (Effect& effect : effects) std::visit([&](auto& one) { Do(one); }, effect);
    transfers_.OnTick(now_);
  }
}

void WorkerLoop::Do(SendToBroker& send) {
  const bool greets = send.payload.is<Hello>();
  if (greets) LoseBroker();
  const bool results = send.payload.is<Results>();
  link_.Send(Message{greets ? kHelloCorrelation : 0, std::move(send.payload), std::move(send.bodies)});
  CrashPoint(results ? "worker.sent" : "worker.told");
}

void WorkerLoop::Do(SendHeartbeat&) {
  Heartbeat heartbeat;
  heartbeat.telemetry = parts_.sampler.Sample(now_);
  values_.OnMemory(heartbeat.telemetry->memory_percent);
  link_.Send(Message{0, std::move(heartbeat), {}});
}

void WorkerLoop::Do(Connect&) {
  LoseBroker();
  const Result<std::string> endpoint = parts_.broker.Next();
  const Status connected = endpoint ? link_.Connect(*endpoint) : Status(endpoint.error());
  if (connected) {
    last_connect_error_.clear();
    LogInfo("connecting to the broker", {{"endpoint", *endpoint}});
    core_.OnConnected(now_);
    return;
  }
  if (connected.error().message != last_connect_error_) {
    last_connect_error_ = connected.error().message;
    LogWarning("no broker yet; trying again", {{"why", last_connect_error_}});
  }
  core_.OnConnectFailed(now_);
}

void WorkerLoop::Do(CheckAccess&) {
  if (!parts_.broker.HasMoved()) return;
  LogInfo("another broker has taken over");
  LoseBroker();
  core_.OnDisconnected(now_);
}

void WorkerLoop::Do(StartAttempt& start) {
  const Result<AttemptSpec> spec = BuildAttempt(start, place_);
  Status started = spec ? Status() : Status(spec.error());
  if (spec) started = parts_.launcher.StartAttempt(*spec);
  CrashPoint("worker.started");
  if (started) {
    LogDebug("attempt handed over", {{"attempt", start.attempt},
                                     {"task", FormatTask({start.group->job, start.task.index})},
                                     {"execution", start.task.execution}});
    if (spec->kind == AttemptKind::kSolver) solver_attempts_.insert(spec->id);
    values_.Begin(spec->id, start.task.execution, ValueSpaceOf(start),
                  start.group->cache.value_or(CachePolicy::kDefault));
    return;
  }
  // A launcher that has ended is found by Drain, which gives everything back.
  if (started.error().code == ErrorCode::kUnavailable) return;
  AttemptEnd end;
  end.error = TaskError{TaskErrorKind::kInvalidInput, started.error().message, {}, {}};
  end.cacheable = false;  // another worker may be able to
  core_.OnAttemptFinished(start.attempt, std::move(end), now_);
}

void WorkerLoop::Do(KillAttempt& kill) {
  LogDebug("attempt is being ended", {{"attempt", kill.attempt}});
  if (const Status asked = parts_.launcher.Kill(kill.attempt.value); !asked) {
    LogWarning("an attempt cannot be ended", {{"attempt", kill.attempt}, {"why", asked.error().message}});
  }
}

void WorkerLoop::Do(SignalAttempt& notice) {
  LogInfo("attempt is told that it will be stopped", {{"attempt", notice.attempt}, {"signal", notice.signal}});
  if (const Status asked = parts_.launcher.Signal(notice.attempt.value, notice.signal); !asked) {
    LogWarning("an attempt cannot be told", {{"attempt", notice.attempt}, {"why", asked.error().message}});
  }
}

void WorkerLoop::Do(SaveAttempt& order) {
  const Status asked = parts_.launcher.Save({order.attempt.value, order.save.value, OutboxOf(place_, order.save)});
  if (!asked) LogWarning("nothing can be saved", {{"attempt", order.attempt}, {"why", asked.error().message}});
}

// Tenths of a second, in which nothing else is done.
void WorkerLoop::Do(LookForSolvers&) {
  UsableSolvers solvers = FindSolvers();
  LogWarning("a solver's program has changed; the broker is told what there is now");
  place_.solvers = solvers.usable;
  core_.OnSolvers(std::move(solvers.usable), std::move(solvers.unusable), now_);
}

void WorkerLoop::Do(KillAll&) {
  if (launcher_source_) poll_.Remove(*launcher_source_);
  launcher_source_.reset();
  if (const Status ended = parts_.launcher.Shutdown(); !ended) LogError(ended.error().message);
}

void WorkerLoop::Do(FetchBlob& fetch) { transfers_.Fetch(fetch.hash, fetch.size); }

void WorkerLoop::Do(UploadBlob& upload) {
  transfers_.Upload(upload.attempt.value, upload.hash, upload.size, upload.path);
}

void WorkerLoop::Do(ForgetAttempt& forget) {
  CrashPoint("worker.cleanup");
  transfers_.Forget(forget.attempt.value);
  if (const Status removed = RemoveTree(OutboxOf(place_, forget.attempt)); !removed)
    LogWarning(removed.error().message);
}

void WorkerLoop::Do(Exit& exit) { exit_ = std::move(exit); }

}  // namespace icarus::worker
