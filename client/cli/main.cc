// icarus: the command line client.
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/args.h"
#include "client/cli/exit_codes.h"
#include "client/cli/session.h"
#include "client/cli/verbs.h"

namespace icarus::client {
namespace {

// `run` passes the command's code through, so that its own failures need one that no command is likely to use.
int ExitCode(const Error& error, const std::string& verb, bool detach) {
  return verb == "run" && !detach ? kExitRunIcarus : ExitCodeOf(error.code);
}

int RunVerb(Options options) {
  const VerbFunction run = FindVerb(options.verb);
  Session session(std::move(options));
  const Result<int> code = run(session);
  if (code) return *code;
  if (session.interrupted()) return kExitInterrupted;
  ReportError(code.error(), session.options().common.format);
  return ExitCode(code.error(), session.options().verb, session.options().submit.detach);
}

int Main(const std::vector<std::string>& arguments) {
  ParsedArguments parsed = ParseArguments(arguments);
  if (const auto* text = std::get_if<TextAndDone>(&parsed)) {
    std::fputs(text->text.c_str(), stdout);
    return kExitDone;
  }
  if (const auto* bad = std::get_if<BadArguments>(&parsed)) {
    ReportError(bad->error, bad->format);
    return ExitCode(bad->error, bad->verb, false);
  }
  return RunVerb(std::get<Options>(std::move(parsed)));
}

}  // namespace
}  // namespace icarus::client

int main(int argc, char** argv) {
  const int code = icarus::client::Main({argv + 1, argv + argc});
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::perror("icarus: cannot write the output");
  return code == icarus::client::kExitDone ? icarus::client::kExitInternal : code;
}
