#include <algorithm>

#include "client/cli/exit_codes.h"
#include "client/cli/local_programs.h"
#include "client/cli/process_end.h"
#include "client/cli/verbs.h"

namespace icarus::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kDefaultDrain = seconds(10);
constexpr milliseconds kAfterDrain = seconds(20);   // to hand results over and clean up
constexpr milliseconds kAfterSecond = seconds(10);  // a second SIGTERM means: at once
constexpr milliseconds kBrokerEnd = seconds(60);

struct Ending {
  LocalProgram program;
  EndingProcess process;
};

Result<std::vector<Ending>> Open(const std::vector<LocalProgram>& programs) {
  std::vector<Ending> endings;
  for (const LocalProgram& program : programs) {
    auto process = EndingProcess::Open(program.pid);
    if (process) {
      endings.push_back({program, std::move(*process)});
    } else if (process.error().code != ErrorCode::kNotFound) {
      return std::move(process).error();
    }
  }
  return endings;
}

// Waits for one; reminds it when it takes too long, and at last does not ask any more.
Status SeeOff(const Session& session, const Ending& ending, milliseconds patience) {
  ICARUS_ASSIGN(bool ended, ending.process.WaitEnd(patience));
  if (ended) return {};
  ICARUS_TRY(ending.process.Terminate(0));
  ICARUS_ASSIGN(ended, ending.process.WaitEnd(kAfterSecond));
  if (ended) return {};
  session.Note("icarus: " + ending.program.name + " (process " + std::to_string(ending.program.pid) +
               ") did not end; killed");
  ending.process.Kill();
  ICARUS_ASSIGN(ended, ending.process.WaitEnd(kAfterSecond));
  if (ended) return {};
  return Error::Make(ErrorCode::kInternal, "process " + std::to_string(ending.program.pid) + " cannot be ended");
}

Result<std::vector<Ending>> EndWorkers(const Session& session, const Home& home) {
  const auto& drain_ms = session.options().down.drain_ms;
  ICARUS_ASSIGN(std::vector<Ending> workers, Open(FindWorkers(home)));
  std::optional<int> value;
  if (drain_ms) value = static_cast<int>(std::min<std::int64_t>(*drain_ms, INT32_MAX));
  for (const Ending& worker : workers) ICARUS_TRY(worker.process.Terminate(value));
  const milliseconds drain = drain_ms ? milliseconds(*drain_ms) : kDefaultDrain;
  for (const Ending& worker : workers) ICARUS_TRY(SeeOff(session, worker, drain + kAfterDrain));
  return workers;
}

Result<std::vector<Ending>> EndBroker(const Session& session, const std::optional<LocalProgram>& found) {
  std::vector<LocalProgram> programs;
  if (found) programs.push_back(*found);
  ICARUS_ASSIGN(std::vector<Ending> brokers, Open(programs));
  for (const Ending& broker : brokers) {
    ICARUS_TRY(broker.process.Terminate(std::nullopt));
    ICARUS_TRY(SeeOff(session, broker, kBrokerEnd));
  }
  return brokers;
}

void Tell(const Session& session, const Home& home, const std::vector<Ending>& workers,
          const std::vector<Ending>& brokers) {
  Json names = Json::array();
  for (const Ending& worker : workers) {
    session.Note("worker " + worker.program.name + " ended");
    names.push_back(worker.program.name);
  }
  for (const Ending& broker : brokers)
    session.Note("broker (process " + std::to_string(broker.program.pid) + ") ended");
  if (workers.empty() && brokers.empty()) session.Note("nothing runs at " + home.dir);
  if (session.text()) return;
  session.PrintDocument({{"home", home.dir},
                         {"broker", brokers.empty() ? Json(nullptr) : Json(brokers.front().program.pid)},
                         {"workers", names}});
}

}  // namespace

Result<int> RunDown(Session& session) {
  ICARUS_ASSIGN(const Home home, session.FindHome());
  // Asked first: a home whose broker runs elsewhere is left alone as a whole, but our workers of it are ours to end.
  const auto broker = FindLocalBroker(home);
  std::vector<Ending> workers;
  if (!session.options().down.broker_only) {
    ICARUS_ASSIGN(workers, EndWorkers(session, home));
  }
  if (!broker) {
    if (workers.empty() || session.options().down.broker_only) return broker.error();
    Tell(session, home, workers, {});
    return kExitDone;
  }
  ICARUS_ASSIGN(const std::vector<Ending> brokers, EndBroker(session, *broker));
  Tell(session, home, workers, brokers);
  return kExitDone;
}

}  // namespace icarus::client
