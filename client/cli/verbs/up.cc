#include <algorithm>
#include <cctype>

#include "client/cli/background.h"
#include "client/cli/exit_codes.h"
#include "client/cli/local_programs.h"
#include "client/cli/verbs.h"
#include "common/base/files.h"
#include "common/config/access_file.h"
#include "common/config/host.h"
#include "common/config/settings.h"
#include "common/transport/endpoint.h"

namespace icarus::client {
namespace {

// What is there after `up`, and whether this `up` started it.
struct Running {
  LocalProgram program;
  int cpus = 0;  // of a worker that was started
  bool started = false;
};

std::string WorkerName(int index) {
  std::string host = ThisHost().name;
  host = host.substr(0, host.find('.'));
  for (char& c : host) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '-';
  }
  return (host.empty() ? "worker" : host) + "-" + std::to_string(index);
}

// Whether a broker that runs listens at what was asked for; port 0 is any.
bool Listens(const AccessFile& access, const Endpoint& wanted) {
  return std::any_of(access.client_endpoints.begin(), access.client_endpoints.end(), [&](const std::string& text) {
    const auto bound = ParseEndpoint(text);
    return bound && bound->kind == wanted.kind && bound->address == wanted.address &&
           (wanted.port == 0 || bound->port == wanted.port);
  });
}

class Starter {
 public:
  Starter(Session& session, Home home) : session_(session), home_(std::move(home)), up_(session.options().up) {}

  Status Start() {
    ICARUS_TRY(MakeDirectories(home_.logs(), 0700));
    ICARUS_TRY(ReadPaths());
    ICARUS_TRY(ReadEndpoints());
    if (access_.empty()) ICARUS_TRY(StartBroker());
    return StartWorkers();
  }

  const std::optional<Running>& broker() const { return broker_; }
  const std::vector<Running>& workers() const { return workers_; }

 private:
  // They start in another directory, so that relative names would mean something else.
  Status ReadPaths() {
    const CommonOptions& common = session_.options().common;
    if (!common.config_file.empty()) {
      ICARUS_ASSIGN(config_, AbsolutePath(common.config_file));
    }
    if (!common.access_file.empty()) {
      ICARUS_ASSIGN(access_, AbsolutePath(common.access_file));
    }
    return {};
  }

  Status ReadEndpoints() {
    for (const std::string& text : up_.listen) {
      ICARUS_ASSIGN(Endpoint endpoint, ParseEndpoint(text));
      listen_.push_back(std::move(endpoint));
    }
    if (access_.empty() || up_.listen.empty()) return {};
    return UsageError("--listen is for the broker that is started here, and --access names one elsewhere; give one",
                      "listen");
  }

  // A broker takes its endpoints when it starts.
  Status CheckListens() const {
    if (up_.listen.empty()) return {};
    ICARUS_ASSIGN(const AccessFile access, ReadAccessFile(home_.access_file()));
    for (std::size_t i = 0; i < listen_.size(); ++i) {
      if (Listens(access, listen_[i])) continue;
      return Error::Make(ErrorCode::kRefused,
                         "the broker of " + home_.dir + " runs already and does not listen at " + up_.listen[i] +
                             ": end it with 'icarus down --broker' (tasks run on), then repeat this",
                         "listen");
    }
    return {};
  }

  std::vector<std::string> CommonArguments() const {
    std::vector<std::string> arguments = {"--home", home_.dir};
    if (!config_.empty()) arguments.insert(arguments.end(), {"--config", config_});
    const std::string& level = session_.options().common.log_level;
    if (!level.empty()) arguments.insert(arguments.end(), {"--log-level", level});
    return arguments;
  }

  std::vector<std::string> BrokerArguments() const {
    std::vector<std::string> arguments = CommonArguments();
    for (const std::string& endpoint : up_.listen) arguments.insert(arguments.end(), {"--listen", endpoint});
    if (!up_.advertise.empty()) arguments.insert(arguments.end(), {"--advertise", up_.advertise});
    if (up_.insecure) arguments.push_back("--insecure");
    if (up_.allow_network_store) arguments.push_back("--allow-network-store");
    return arguments;
  }

  Status StartBroker() {
    ICARUS_ASSIGN(const std::optional<LocalProgram> running, FindLocalBroker(home_));
    if (running) {
      ICARUS_TRY(CheckListens());
      broker_ = Running{*running, 0, false};
      return {};
    }
    ICARUS_ASSIGN(BackgroundProgram broker, BackgroundProgram::Start("icarus-broker", BrokerArguments(), home_.dir,
                                                                     home_.logs() + "/broker.log"));
    ICARUS_TRY(broker.WaitReady());
    broker_ = Running{{"broker", broker.pid()}, 0, true};
    return {};
  }

  // The CPUs are shared as evenly as they go; each worker has at least one.
  int ShareOfCpus(int index) const {
    const int total = up_.cpus.value_or(UsableCpus());
    return std::max(1, total / up_.workers + (index < total % up_.workers ? 1 : 0));
  }

  Result<BackgroundProgram> StartWorker(const std::string& name, int cpus) const {
    std::vector<std::string> arguments = CommonArguments();
    arguments.insert(arguments.end(), {"--name", name, "--cpus", std::to_string(cpus)});
    if (!access_.empty()) arguments.insert(arguments.end(), {"--access", access_});
    return BackgroundProgram::Start("icarus-worker", std::move(arguments), home_.dir,
                                    home_.logs() + "/worker-" + name + ".log");
  }

  // All are started before one is waited for: their start takes longer than ours.
  Status StartWorkers() {
    std::vector<std::pair<std::size_t, BackgroundProgram>> starting;
    for (int i = 0; i < up_.workers; ++i) {
      const std::string name = WorkerName(i);
      if (const auto running = FindWorker(home_, name)) {
        workers_.push_back({*running, 0, false});
        continue;
      }
      const int cpus = ShareOfCpus(i);
      ICARUS_ASSIGN(BackgroundProgram worker, StartWorker(name, cpus));
      workers_.push_back({{name, worker.pid()}, cpus, true});
      starting.emplace_back(workers_.size() - 1, std::move(worker));
    }
    std::optional<Error> first;
    for (auto& [index, worker] : starting) {
      Status ready = worker.WaitReady();
      if (!ready && !first) first = std::move(ready).error();
    }
    if (first) return *first;
    return {};
  }

  Session& session_;
  const Home home_;
  const UpOptions& up_;
  std::vector<Endpoint> listen_;  // of up_.listen
  std::string config_;
  std::string access_;
  std::optional<Running> broker_;
  std::vector<Running> workers_;
};

Json RunningJson(const Running& running) {
  return {{"name", running.program.name}, {"pid", running.program.pid}, {"started", running.started}};
}

void Tell(const Session& session, const Home& home, const Starter& starter) {
  const auto line = [&](const std::string& what, const Running& running, const std::string& more) {
    session.Note(what + (running.started ? " started" : " runs already") + " (process " +
                 std::to_string(running.program.pid) + more + ")");
  };
  if (starter.broker()) line("broker of " + home.dir, *starter.broker(), "");
  for (const Running& worker : starter.workers()) {
    line("worker " + worker.program.name, worker,
         worker.started ? ", " + std::to_string(worker.cpus) + (worker.cpus == 1 ? " CPU" : " CPUs") : "");
  }
  if (session.text()) return;
  Json json = {{"home", home.dir}, {"broker", starter.broker() ? RunningJson(*starter.broker()) : Json(nullptr)}};
  json["workers"] = Json::array();
  for (const Running& worker : starter.workers()) json["workers"].push_back(RunningJson(worker));
  session.PrintDocument(json);
}

}  // namespace

Result<int> RunUp(Session& session) {
  // A mistake in the configuration is told here, and not by each of the programs.
  ICARUS_TRY(LoadSettings(session.options().common.config_file, session.environment()).map([](const Settings&) {}));
  ICARUS_ASSIGN(const Home home, ResolveHome(session.options().common.home, session.environment()));
  ICARUS_ASSIGN(const UniqueFd lock, LockHome(home));  // two at once would start the same workers
  Starter starter(session, home);
  ICARUS_TRY(starter.Start());
  Tell(session, home, starter);
  return kExitDone;
}

}  // namespace icarus::client
