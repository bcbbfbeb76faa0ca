#include "common/analysis/manifest.h"

#include <gmock/gmock.h>

namespace icarus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<Manifest> WithParameter(const std::string& lines) {
  return ParseManifest("analysis = \"a\"\nsolvers = [\"s\"]\n[parameters.p]\n" + lines, "a.toml");
}

std::string ErrorOf(const std::string& lines) {
  const auto manifest = WithParameter(lines);
  return manifest ? "" : manifest.error().message;
}

TEST(ManifestKeyStep, IsReadOfEveryKindOfNumber) {
  for (const std::string type : {"number", "integer", "numbers"}) {
    const auto manifest = WithParameter("type = \"" + type + "\"\nkey_step = 5\nrange = [0, 100]");
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->Find("p")->key_step, 5.0);
  }
  EXPECT_EQ(WithParameter("type = \"number\"\nkey_step = 1e-3")->Find("p")->key_step, 1e-3);
  EXPECT_EQ(WithParameter("type = \"number\"")->Find("p")->key_step, std::nullopt);
  EXPECT_TRUE(WithParameter("type = \"number\"\nkey_step = 2\nrange = [-1, 1]")) << "as wide as the range";
}

TEST(ManifestKeyStep, MustBeANumberAboveZero) {
  for (const std::string step : {"0", "0.0", "-0.1", "-3", "nan", "-nan", "inf", "-inf", "\"0.1\"", "true", "[0.1]"}) {
    EXPECT_EQ(ErrorOf("type = \"number\"\nkey_step = " + step),
              "manifest a.toml: 'p.key_step' must be a number above zero")
        << step;
  }
}

TEST(ManifestKeyStep, IsForNumbers) {
  for (const std::string type : {"word", "boolean"}) {
    EXPECT_EQ(ErrorOf("type = \"" + type + "\"\nkey_step = 0.1\nchoices = [\"x\"]"),
              "manifest a.toml: 'p.key_step' is for numbers, and this is a " + type);
  }
}

TEST(ManifestKeyStep, IsWholeWhereTheParameterIs) {
  EXPECT_THAT(ErrorOf("type = \"integer\"\nkey_step = 2.5"),
              AllOf(StartsWith("manifest a.toml: 'p.key_step'"), HasSubstr("whole number")));
}

TEST(ManifestKeyStep, IsNoWiderThanTheRange) {
  EXPECT_EQ(ErrorOf("type = \"number\"\nkey_step = 1\nrange = [0, 0.9]"),
            "manifest a.toml: 'p.key_step' is 1, wider than the range 0 to 0.9");
}

}  // namespace
}  // namespace icarus
