// The command line of `icarus`: its grammar, its help, and its errors. The only place that knows the parsing library.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "client/cli/options.h"
#include "common/base/error.h"

namespace icarus::client {

// The program is to end at once with this text on stdout: --help and --version.
struct TextAndDone {
  std::string text;
};

// What is wrong with the command line. `format` is what had been asked for, so that the error can be shown in it;
// `verb` as far as it was known.
struct BadArguments {
  Error error;
  Format format = Format::kText;
  std::string verb;
};

using ParsedArguments = std::variant<Options, TextAndDone, BadArguments>;

// `arguments` without the program's name. Reads nothing but the environment variable ICARUS_HOME through its users:
// pure.
ParsedArguments ParseArguments(const std::vector<std::string>& arguments);

}  // namespace icarus::client
