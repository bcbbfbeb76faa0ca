// icarus-broker: options in, a served home out.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "broker/broker_app.h"
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
};

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
  app.set_version_flag("--version", icarus::ProgramVersion("icarus-broker"));
  app.footer("Example: icarus-broker --home ~/icarus-home --log-level debug");
}

icarus::Status Run(Arguments& arguments) {
  ICARUS_ASSIGN(const icarus::LogLevel level, icarus::ParseLogLevel(arguments.log_level));
  ICARUS_TRY(icarus::InitLogging({"icarus-broker", level, arguments.log_json, ""}));
  const icarus::Environment environment = icarus::ProcessEnvironment();
  ICARUS_ASSIGN(arguments.options.home, icarus::ResolveHome(arguments.home, environment));
  ICARUS_ASSIGN(arguments.options.settings, icarus::LoadSettings(arguments.config, environment));
  return icarus::broker::RunBroker(arguments.options);
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
    const icarus::Status status = Run(arguments);
    if (status) return 0;
    std::fprintf(stderr, "icarus-broker: %s\n", status.error().message.c_str());
    return icarus::ExitCodeOf(status.error().code);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "icarus-broker: internal error: %s\n", e.what());
    return 70;
  }
}
