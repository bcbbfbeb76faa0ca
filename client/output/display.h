// Text as a terminal shows it: columns taken by UTF-8, cutting, colour, and the taming of what others wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace icarus::client {

// How text output is to look. The default is what a file or pipe gets: nothing cut, no colour.
struct TextStyle {
  std::size_t width = 0;  // columns of the terminal; 0: unlimited
  bool colour = false;
};

enum class Colour : std::uint8_t { kNone, kRed, kGreen, kYellow, kBlue, kGrey, kBold };

// Columns that a terminal uses: combining marks take none, East Asian wide characters and emoji two. Malformed bytes
// count as one each.
std::size_t DisplayWidth(std::string_view utf8);

// The text on one line and harmless to a terminal: control characters (escape sequences too), line ends and
// direction overrides become a space, malformed bytes U+FFFD.
std::string Printable(std::string_view text);

// At most `width` columns; what is cut ends with "…". REQUIRES printable text.
std::string Ellipsize(std::string_view text, std::size_t width);

// The text in ANSI colour when `on`; otherwise as it is.
std::string Paint(std::string_view text, Colour colour, bool on);

}  // namespace icarus::client
