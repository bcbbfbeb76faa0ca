// icarus: the command line client.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/args.h"
#include "client/cli/exit_codes.h"
#include "client/cli/session.h"
#include "client/cli/verbs.h"
#include "common/config/settings.h"

namespace icarus::client {
namespace {

// `run` passes the command's code through, so that its own failures need one that no command is likely to use.
int ExitCode(const Error& error, const std::string& verb, bool detach) {
  return verb == "run" && !detach ? kExitRunIcarus : ExitCodeOf(error.code);
}

// A file that was named is read whatever the verb makes of it: a mistake in it is told at once.
Status CheckConfigFile(const Session& session) {
  const std::string& file = session.options().common.config_file;
  if (file.empty()) return {};
  const auto loaded = LoadSettings(file, session.environment());
  return loaded ? Status() : Status(loaded.error());
}

Result<int> Run(Session& session, VerbFunction verb) {
  ICARUS_TRY(CheckConfigFile(session));
  return verb(session);
}

// `code`, unless everything went well but for the output, which is not where it should be.
int FlushOutput(int code, const std::string& verb, bool detach) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const std::string why = errno != 0 ? std::strerror(errno) : "an earlier write failed";
  const Error error = IoError("cannot write the output: " + why);
  ReportError(error, Format::kText);
  return code == kExitDone ? ExitCode(error, verb, detach) : code;
}

int RunVerb(Options options) {
  const VerbFunction run = FindVerb(options.verb);
  Session session(std::move(options));
  const bool detach = session.options().submit.detach;
  const Result<int> code = Run(session, run);
  if (code) return FlushOutput(*code, session.options().verb, detach);
  if (session.interrupted()) return kExitInterrupted;
  ReportError(code.error(), session.options().common.format);
  return FlushOutput(ExitCode(code.error(), session.options().verb, detach), session.options().verb, detach);
}

int Main(const std::vector<std::string>& arguments) {
  ParsedArguments parsed = ParseArguments(arguments);
  if (const auto* text = std::get_if<TextAndDone>(&parsed)) {
    std::fputs(text->text.c_str(), stdout);
    return FlushOutput(kExitDone, "", false);
  }
  if (const auto* bad = std::get_if<BadArguments>(&parsed)) {
    ReportError(bad->error, bad->format);
    return FlushOutput(ExitCode(bad->error, bad->verb, false), bad->verb, false);
  }
  return RunVerb(std::get<Options>(std::move(parsed)));
}

}  // namespace
}  // namespace icarus::client

int main(int argc, char** argv) { return icarus::client::Main({argv + 1, argv + argc}); }
