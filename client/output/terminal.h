// What the stream that we write to is, and what its reader wants.
#pragma once

#include <cstddef>

#include "client/output/display.h"

namespace icarus::client {

bool IsTerminal(int fd);

// Columns of the terminal behind `fd`; 80 when it does not say.
std::size_t TerminalWidth(int fd);

// False when NO_COLOR is set to anything (no-color.org) or TERM is "dumb".
bool ColourWanted();

// True when the environment's locale (LC_ALL, LC_CTYPE, LANG, in this order) is UTF-8.
bool Utf8Wanted();

// On a terminal its width and, if wanted, colour; otherwise the plain style.
TextStyle DetectTextStyle(int fd);

}  // namespace icarus::client
