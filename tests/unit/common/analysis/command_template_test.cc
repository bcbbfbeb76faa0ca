#include "common/analysis/command_template.h"

#include <gmock/gmock.h>

namespace icarus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandSpec Argv(std::vector<std::string> argv) {
  CommandSpec command;
  command.argv = std::move(argv);
  return command;
}

std::string ErrorOf(const CommandSpec& command) {
  const auto result = SubstituteCommand(command, {{"aoa", Value(2.5)}}, 7, "naca2412");
  return result ? "" : result.error().message;
}

TEST(CommandTemplateTest, ValuesIndexAndTargetAreFilledIn) {
  const auto command = SubstituteCommand(Argv({"run", "--aoa={aoa}", "{index}-{target}", "{re}"}),
                                         {{"aoa", Value(2.5)}, {"re", Value(1e6)}}, 7, "naca2412");
  ASSERT_TRUE(command);
  EXPECT_THAT(command->argv, ElementsAre("run", "--aoa=2.5", "7-naca2412", "1000000"));
}

TEST(CommandTemplateTest, NamesOfFilesAreFilledInToo) {
  CommandSpec command = Argv({"run"});
  command.inputs.resize(1);
  command.inputs[0].name = "case-{aoa}.inp";
  command.inputs[0].content = "{left} alone";
  command.outputs = {"out-{index}.*"};
  command.stdin_name = "case-{aoa}.inp";
  command.env = {{"X", "{aoa}"}};
  const auto result = SubstituteCommand(command, {{"aoa", Value(-1.0)}}, 3, "");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->inputs[0].name, "case--1.inp");
  EXPECT_EQ(result->inputs[0].content, "{left} alone");
  EXPECT_THAT(result->outputs, ElementsAre("out-3.*"));
  EXPECT_EQ(result->stdin_name, "case--1.inp");
  EXPECT_EQ(result->env.at("X"), "{aoa}");
}

TEST(CommandTemplateTest, DoubledBracesAreBraces) {
  const auto command = SubstituteCommand(Argv({"{{print $1}}", "{{{aoa}}}", "}", "a}b"}), {{"aoa", Value(1.0)}}, 0, "");
  ASSERT_TRUE(command);
  EXPECT_THAT(command->argv, ElementsAre("{print $1}", "{1}", "}", "a}b"));
}

TEST(CommandTemplateTest, ValuesAreNotExpandedAgain) {
  const auto command = SubstituteCommand(Argv({"{word}"}), {{"word", Value("{index}")}}, 5, "");
  ASSERT_TRUE(command);
  EXPECT_THAT(command->argv, ElementsAre("{index}"));
}

TEST(CommandTemplateTest, UnknownPlaceholderNamesItselfAndTheKnownOnes) {
  EXPECT_THAT(ErrorOf(Argv({"x", "{alpha}"})), HasSubstr("unknown placeholder {alpha}"));
  EXPECT_THAT(ErrorOf(Argv({"x", "{alpha}"})), HasSubstr("{aoa}, {index}, {target}"));
}

TEST(CommandTemplateTest, LoneBraceSaysWhatToWrite) {
  for (const char* text : {"{print $1}", "{", "a{", "{}", "{ aoa }", "x{aoa"}) {
    EXPECT_THAT(ErrorOf(Argv({text})), HasSubstr("write {{")) << text;
  }
}

TEST(CommandTemplateTest, WithoutATargetItIsUnknown) {
  const auto result = SubstituteCommand(Argv({"{target}"}), {{"aoa", Value(1.0)}}, 0, "");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUsage);
}

TEST(CommandTemplateTest, CheckFindsTheSameErrorsBeforeSubmission) {
  EXPECT_TRUE(CheckCommandTemplate(Argv({"{aoa}{index}{target}"}), {"aoa"}, true));
  EXPECT_FALSE(CheckCommandTemplate(Argv({"{target}"}), {"aoa"}, false));
  EXPECT_FALSE(CheckCommandTemplate(Argv({"{reynolds}"}), {"aoa"}, false));
  CommandSpec output = Argv({"x"});
  output.outputs = {"{bad}"};
  EXPECT_FALSE(CheckCommandTemplate(output, {"aoa"}, false));
}

TEST(CommandTemplate, ACommandByItselfKeepsItsBraces) {
  const auto awk = Argv({"awk", "{print $1}", "${HOME}", "{}", "{{", "{index}"});
  EXPECT_TRUE(CheckCommandTemplate(awk, {}, false));
  const auto same = SubstituteCommand(awk, {}, 0, "");
  ASSERT_TRUE(same);
  EXPECT_EQ(same->argv, awk.argv);
}

}  // namespace
}  // namespace icarus
