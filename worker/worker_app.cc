#include "worker/worker_app.h"

#include <unistd.h>
#include <csignal>

#include <cstdio>
#include <utility>

#include "common/base/clock.h"
#include "common/base/logging.h"
#include "common/base/random.h"
#include "common/base/version.h"
#include "common/config/host.h"
#include "common/protocol/result_codec.h"
#include "worker/solvers/solver.h"
#include "worker/telemetry/machine.h"
#include "worker/usable_solvers.h"
#include "worker/worker_directory.h"
#include "worker/worker_loop.h"

namespace icarus::worker {
namespace {

Body MakeNoopBody(std::uint64_t bytes) {
  ResultBody body;
  body.columns = {"bytes"};
  body.rows = {{Value(std::string(bytes, 'x'))}};
  return std::make_shared<const std::string>(EncodeResultBody(body));
}

Hello MakeHello(const WorkerOptions& options, const std::string& name, const std::string& replaces) {
  const icarus::HostIdentity host = ThisHost();
  Hello hello;
  hello.role = PeerRole::kWorker;
  hello.instance = RandomHex(16);
  hello.program = ProgramVersion("icarus-worker");
  hello.host = host.name;
  hello.pid = ::getpid();
  WorkerHello worker;
  worker.name = name;
  worker.slots = options.cpus > 0 ? options.cpus : EffectiveCpus();
  worker.memory_bytes = options.memory_bytes > 0 ? options.memory_bytes : static_cast<std::int64_t>(TotalMemory());
  worker.resources = options.resources;
  worker.labels = options.labels;
  worker.boot_id = host.boot_id;
  worker.replaces = replaces;
  UsableSolvers solvers = FindSolvers();
  worker.solvers = std::move(solvers.usable);
  worker.unusable_solvers = std::move(solvers.unusable);
  hello.worker = std::move(worker);
  return hello;
}

CoreOptions MakeCoreOptions(const WorkerOptions& options, Hello hello) {
  CoreOptions core;
  core.hello = std::move(hello);
  core.drain = Milliseconds(options.drain_ms);
  if (options.time_limit_ms) core.time_limit = Milliseconds(*options.time_limit_ms);
  if (options.idle_timeout_ms) core.idle_timeout = Milliseconds(*options.idle_timeout_ms);
  core.seed = Checksum(core.hello.instance);
  core.noop_body = MakeNoopBody;
  return core;
}

// "NAME" takes the value from here, "NAME=VALUE" states it.
Environment ConfiguredEnvironment(const WorkerOptions& options) {
  Environment configured;
  for (const std::string& entry : options.settings.List("worker.env")) {
    const std::size_t equals = entry.find('=');
    if (equals != std::string::npos) {
      configured[entry.substr(0, equals)] = entry.substr(equals + 1);
    } else if (const auto found = options.environment.find(entry); found != options.environment.end()) {
      configured.insert(*found);
    }
  }
  return configured;
}

std::string ValueSockets(const WorkerOptions& options, const WorkerDirectory& directory) {
  const Result<std::string> sockets = SocketDirectory(options.home, options.environment);
  if (sockets) return directory.PrepareValueSockets(*sockets);
  LogWarning("commands get no intermediate values", {{"why", sockets.error().message}});
  return {};
}

AttemptPlace MakePlace(const WorkerOptions& options, const WorkerDirectory& directory, const CoreOptions& core) {
  AttemptPlace place;
  place.solvers = core.hello.worker->solvers;
  place.scratch = directory.scratch();
  place.outbox = directory.outbox();
  place.blobs = directory.blobs();
  place.value_sockets = ValueSockets(options, directory);
  place.grace_ms = std::chrono::duration_cast<Milliseconds>(core.timing.kill_grace).count();
  place.inherited = InheritedEnvironment();
  place.configured = ConfiguredEnvironment(options);
  place.prologue = options.settings.Text("worker.prologue");
  return place;
}

Result<int> Serve(const WorkerOptions& options, ReadyReport& ready) {
  // The order matters: signals before anything can be hit by one; the launcher before there is a thread or a lock it
  // could hold open; the lock before anything of a predecessor is touched.
  ICARUS_ASSIGN(SignalFd signals, SignalFd::Block({SIGTERM, SIGINT, SIGHUP}));
  ::signal(SIGPIPE, SIG_IGN);
  ICARUS_ASSIGN(Launcher launcher, Launcher::Start(LauncherOptions{}));
  const std::string name = options.name.empty() ? ThisHost().name : options.name;
  ICARUS_ASSIGN(WorkerDirectory directory, WorkerDirectory::Open(options.home, name, options.scratch));
  ICARUS_ASSIGN(BlobCache blobs, BlobCache::Open(directory.blobs()));
  CoreOptions core = MakeCoreOptions(options, MakeHello(options, name, directory.predecessor()));
  ICARUS_TRY(directory.WriteInstance(core.hello.instance));
  AttemptPlace place = MakePlace(options, directory, core);
  HostSampler sampler(HostSamplerOptions{"/", place.scratch, launcher.pid()});
  BrokerFinder broker(options.home, options.access_file);
  ICARUS_ASSIGN(const std::unique_ptr<TransportContext> context, TransportContext::Create());
  LogInfo("worker starts", {{"worker", name}, {"slots", core.hello.worker->slots}, {"instance", core.hello.instance}});
  const Exit end = WorkerLoop({launcher, signals, *context, ready, broker, sampler}, std::move(core), std::move(place),
                              std::move(blobs))
                       .Run();
  LogInfo("worker ends", {{"worker", name}, {"why", end.reason}, {"code", end.code}});
  if (const Status stopped = launcher.Shutdown(); !stopped) LogError(stopped.error().message);
  if (end.code == 0) directory.ForgetInstance();
  if (end.code != 0) ready.Failed(end.reason);
  return end.code;
}

}  // namespace

Result<int> RunWorker(const WorkerOptions& options) {
  ReadyReport ready(options.ready_fd);
  Result<int> code = Serve(options, ready);
  if (!code) ready.Failed(code.error().message);
  return code;
}

void PrintProbedSolvers() {
  for (const SolverInfo& solver : ProbeSolvers()) {
    Value::List analyses;
    for (const std::string& analysis : solver.analyses) analyses.emplace_back(analysis);
    ValueMap line;
    line.emplace("name", Value(solver.name));
    line.emplace("analyses", Value(std::move(analyses)));
    line.emplace("identity", Value(solver.identity));
    line.emplace("detail", Value(solver.detail));
    line.emplace("remedy", Value(solver.remedy));
    std::string text;
    AppendCanonical(text, line);
    std::printf("%s\n", text.c_str());
  }
}

}  // namespace icarus::worker
