#include "client/output/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr std::size_t kDefaultWidth = 80;

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

std::size_t TerminalWidth(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

bool ColourWanted() { return Environment("NO_COLOR").empty() && Environment("TERM") != "dumb"; }

bool Utf8Wanted() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = Lower(Environment(name));
    if (!locale.empty()) return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

TextStyle DetectTextStyle(int fd) {
  if (!IsTerminal(fd)) return {};
  return TextStyle{TerminalWidth(fd), ColourWanted()};
}

}  // namespace icarus::client
