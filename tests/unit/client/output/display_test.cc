#include "client/output/display.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "client/output/terminal.h"

namespace icarus::client {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("naca"), 4u);
  EXPECT_EQ(DisplayWidth("Flügel"), 6u);
  EXPECT_EQ(DisplayWidth("u\xCC\x88"), 1u) << "a combining mark takes no column";
  EXPECT_EQ(DisplayWidth("翼型"), 4u);
  EXPECT_EQ(DisplayWidth("✈🚀"), 3u);
  EXPECT_EQ(DisplayWidth("a\xFF\x62"), 3u) << "a malformed byte takes one";
}

TEST(Printable, NothingReachesTheTerminalThatCouldSteerIt) {
  EXPECT_EQ(Printable("a\x1b[31mb\n\tc\x7f"), "a [31mb  c ");
  EXPECT_EQ(Printable("x\xE2\x80\xAEy"), "x y") << "right-to-left override";
  EXPECT_EQ(Printable("\xC2\x9Bm"), " m") << "the 8-bit escape";
  EXPECT_EQ(Printable("bad \xC3("), "bad \xEF\xBF\xBD(");
  EXPECT_EQ(Printable("Flügel 翼"), "Flügel 翼");
}

TEST(Ellipsize, CutsByColumns) {
  EXPECT_EQ(Ellipsize("naca2412", 8), "naca2412");
  EXPECT_EQ(Ellipsize("naca2412", 5), "naca…");
  EXPECT_EQ(Ellipsize("翼型翼型", 4), "翼…") << "half of a wide character is not shown";
  EXPECT_EQ(Ellipsize("abc", 0), "");
}

TEST(Paint, ColoursOnlyWhenOn) {
  EXPECT_EQ(Paint("x", Colour::kRed, true), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Paint("x", Colour::kRed, false), "x");
  EXPECT_EQ(Paint("", Colour::kRed, true), "");
}

// Sets a variable of the environment while it lives.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) {
      had_ = true;
      old_ = old;
    }
    Set(value);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { Set(had_ ? old_.c_str() : nullptr); }

 private:
  void Set(const char* value) {
    if (value == nullptr)
      unsetenv(name_);
    else
      setenv(name_, value, 1);
  }
  const char* name_;
  bool had_ = false;
  std::string old_;
};

TEST(Terminal, NoColorAndDumbTerminalsAreHonoured) {
  const ScopedVariable term("TERM", "xterm");
  const ScopedVariable unset("NO_COLOR", nullptr);
  EXPECT_TRUE(ColourWanted());
  {
    const ScopedVariable set("NO_COLOR", "1");
    EXPECT_FALSE(ColourWanted());
  }
  const ScopedVariable dumb("TERM", "dumb");
  EXPECT_FALSE(ColourWanted());
}

TEST(Terminal, LocaleDecidesAboutUtf8) {
  const ScopedVariable all("LC_ALL", nullptr);
  const ScopedVariable ctype("LC_CTYPE", "C");
  const ScopedVariable lang("LANG", "de_DE.UTF-8");
  EXPECT_FALSE(Utf8Wanted());
  const ScopedVariable override_all("LC_ALL", "C.utf8");
  EXPECT_TRUE(Utf8Wanted());
}

TEST(Terminal, AFileIsPlain) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const TextStyle style = DetectTextStyle(fileno(file));
  EXPECT_EQ(style.width, 0u);
  EXPECT_FALSE(style.colour);
  std::fclose(file);
}

}  // namespace
}  // namespace icarus::client
