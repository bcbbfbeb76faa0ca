// icarus-broker: options in, a served home out.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "broker/broker_app.h"
#include "broker/store_tools.h"
#include "common/base/exit_code.h"
#include "common/base/logging.h"
#include "common/base/version.h"

namespace {

struct Arguments {
  std::string home;
  std::string config;
  std::string log_level = "info";
  bool log_json = false;
  icarus::broker::BrokerOptions options;
  bool verify = false;
  std::string salvage;
  std::string backup;
  std::string restore;
  bool json = false;
};

// In place of serving; one at a time.
void DefineStoreTasks(CLI::App& app, Arguments& arguments) {
  auto* tasks = app.add_option_group("In place of serving");
  tasks->add_flag("--verify", arguments.verify,
                  "read all of the home's store, check it, change nothing; exit 1 when something is damaged");
  tasks
      ->add_option("--salvage", arguments.salvage,
                   "read what can be read of a damaged store, and make a new home of it in DIR")
      ->type_name("DIR");
  tasks->add_option("--backup", arguments.backup, "copy the store to DIR, also while a broker serves it")
      ->type_name("DIR");
  tasks->add_option("--restore", arguments.restore, "make the store of this home, which has none, from a backup")
      ->type_name("DIR");
  tasks->require_option(0, 1);
  app.add_flag("--json", arguments.json, "with --verify: one JSON document");
}

icarus::broker::StoreTask StoreTaskOf(const Arguments& arguments) {
  using Kind = icarus::broker::StoreTask::Kind;
  if (arguments.verify) return {Kind::kVerify, "", arguments.json};
  if (!arguments.salvage.empty()) return {Kind::kSalvage, arguments.salvage, arguments.json};
  if (!arguments.backup.empty()) return {Kind::kBackup, arguments.backup, arguments.json};
  if (!arguments.restore.empty()) return {Kind::kRestore, arguments.restore, arguments.json};
  return {};
}

void Define(CLI::App& app, Arguments& arguments) {
  app.add_option("--home", arguments.home, "directory of the store, logs and access file (ICARUS_HOME)")
      ->type_name("DIR");
  app.add_option("--config", arguments.config, "configuration file")->type_name("FILE");
  app.add_option("--listen", arguments.options.listen,
                 "also listen for clients at tcp://ADDRESS:PORT, and for workers at the next port; repeat")
      ->type_name("ENDPOINT");
  app.add_option("--advertise", arguments.options.advertise, "host name that the access file gives")->type_name("HOST");
  app.add_flag("--insecure", arguments.options.insecure, "allow TCP without keys, on loopback only");
  app.add_flag("--allow-network-store", arguments.options.allow_network_store, "allow a home on a network file system");
  app.add_option("--log-level", arguments.log_level, "debug, info, warning, error or off")->type_name("LEVEL");
  app.add_flag("--log-json", arguments.log_json, "one JSON object a line");
  app.add_option("--ready-fd", arguments.options.ready_fd, "write \"ok\" to this descriptor when serving")
      ->type_name("N");
  DefineStoreTasks(app, arguments);
  app.set_version_flag("--version", icarus::ProgramVersion("icarus-broker"));
  app.footer(
      "Examples:\n"
      "  icarus-broker --home ~/icarus-home --log-level debug\n"
      "  icarus-broker --home ~/icarus-home --verify\n"
      "  icarus-broker --home ~/icarus-home --salvage /big/salvaged\n"
      "  icarus-broker --home ~/icarus-home --backup /big/backup-monday\n"
      "  icarus-broker --home ~/new-home --restore /big/backup-monday");
}

icarus::Result<int> Run(Arguments& arguments) {
  ICARUS_ASSIGN(const icarus::LogLevel level, icarus::ParseLogLevel(arguments.log_level));
  ICARUS_TRY(icarus::InitLogging({"icarus-broker", level, arguments.log_json, ""}));
  if (const auto task = StoreTaskOf(arguments); task.kind != icarus::broker::StoreTask::Kind::kNone) {
    ICARUS_ASSIGN(const icarus::Home home, icarus::LocateHome(arguments.home, icarus::ProcessEnvironment()));
    return icarus::broker::RunStoreTask(home, task);
  }
  const icarus::Environment environment = icarus::ProcessEnvironment();
  ICARUS_ASSIGN(arguments.options.home, icarus::ResolveHome(arguments.home, environment));
  ICARUS_ASSIGN(arguments.options.settings, icarus::LoadSettings(arguments.config, environment));
  ICARUS_TRY(icarus::broker::RunBroker(arguments.options));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The Icarus broker: queues analyses, hands them to workers, keeps every result.", "icarus-broker");
  Arguments arguments;
  Define(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    std::fprintf(stderr, "icarus-broker: %s; see --help\n", e.what());
    return 2;
  }
  try {
    const icarus::Result<int> status = Run(arguments);
    if (status) return *status;
    std::fprintf(stderr, "icarus-broker: %s\n", status.error().message.c_str());
    return icarus::ExitCodeOf(status.error().code);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "icarus-broker: internal error: %s\n", e.what());
    return 70;
  }
}
