#include "client/cli/args.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icarus::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Options Parsed(const std::vector<std::string>& arguments) {
  ParsedArguments parsed = ParseArguments(arguments);
  if (const auto* bad = std::get_if<BadArguments>(&parsed)) ADD_FAILURE() << bad->error.message;
  auto* options = std::get_if<Options>(&parsed);
  return options == nullptr ? Options{} : *options;
}

BadArguments Refused(const std::vector<std::string>& arguments) {
  ParsedArguments parsed = ParseArguments(arguments);
  auto* bad = std::get_if<BadArguments>(&parsed);
  if (bad == nullptr) ADD_FAILURE() << "was accepted";
  return bad == nullptr ? BadArguments{} : *bad;
}

std::string Text(const std::vector<std::string>& arguments) {
  ParsedArguments parsed = ParseArguments(arguments);
  auto* text = std::get_if<TextAndDone>(&parsed);
  return text == nullptr ? "" : text->text;
}

TEST(Args, TheMainJobAsAUserTypesIt) {
  const Options options = Parsed({"submit", "airfoil_polar", "--solver", "xfoil", "--target", "naca2412", "--sweep",
                                  "reynolds=2e5,5e5,1e6", "-p", "aoa=-4:12:1", "--result"});
  EXPECT_EQ(options.verb, "submit");
  EXPECT_EQ(options.submit.analysis, "airfoil_polar");
  EXPECT_EQ(options.submit.solver, "xfoil");
  EXPECT_THAT(options.submit.targets, ElementsAre("naca2412"));
  EXPECT_THAT(options.submit.parameters, ElementsAre("aoa=-4:12:1"));
  ASSERT_EQ(options.submit.axes.size(), 1U);
  EXPECT_EQ(options.submit.axes[0].text, "reynolds=2e5,5e5,1e6");
  EXPECT_TRUE(options.submit.result);
  EXPECT_FALSE(options.submit.wait);
}

TEST(Args, RepeatedOptionsTakeOneValueEachAndLeavePositionalsAlone) {
  const Options options = Parsed({"submit", "--target", "a", "--target", "b", "noop", "--tag", "k=v", "--tag", "l=w"});
  EXPECT_EQ(options.submit.analysis, "noop");
  EXPECT_THAT(options.submit.targets, ElementsAre("a", "b"));
  EXPECT_THAT(options.submit.tags, ElementsAre("k=v", "l=w"));
}

TEST(Args, SweepAndZipKeepTheirOrder) {
  const Options options =
      Parsed({"submit", "noop", "--sweep", "a=1", "--zip", "b=1,c=2", "--sweep", "d=3", "--zip=e=4"});
  std::vector<std::string> seen;
  for (const AxisText& axis : options.submit.axes) seen.push_back((axis.zip ? "zip " : "sweep ") + axis.text);
  EXPECT_THAT(seen, ElementsAre("sweep a=1", "zip b=1,c=2", "sweep d=3", "zip e=4"));
}

TEST(Args, DurationsSizesAndNumbersAreRead) {
  const Options options =
      Parsed({"submit", "noop", "--timeout", "1h30m", "--queue-timeout", "90", "--deadline", "3d", "--memory", "512MiB",
              "--cpus", "4", "--priority", "-5", "--retries", "0", "--ttl", "2d"});
  EXPECT_EQ(options.submit.timeout_ms, 5'400'000);
  EXPECT_EQ(options.submit.queue_timeout_ms, 90'000);
  EXPECT_EQ(options.submit.deadline_ms, 259'200'000);
  EXPECT_EQ(options.submit.memory_bytes, 512 << 20);
  EXPECT_EQ(options.submit.cpus, 4);
  EXPECT_EQ(options.submit.priority, -5);
  EXPECT_EQ(options.submit.retries, 0);
  EXPECT_EQ(options.submit.ttl_ms, 172'800'000);
  EXPECT_FALSE(options.submit.max_fails.has_value());
}

TEST(Args, EverythingBehindTheDashesIsTheCommand) {
  const Options options = Parsed({"run", "--cpus", "2", "--", "sh", "-c", "echo -- $1", "--help", "--"});
  EXPECT_THAT(options.submit.command, ElementsAre("sh", "-c", "echo -- $1", "--help", "--"));
  EXPECT_EQ(options.submit.cpus, 2);
}

TEST(Args, CommonOptionsStandBeforeAndAfterTheVerb) {
  EXPECT_EQ(Parsed({"--home", "/h", "-o", "json", "list"}).common.home, "/h");
  const Options options = Parsed({"list", "--home", "/h", "-o", "csv", "-q", "--no-progress"});
  EXPECT_EQ(options.common.home, "/h");
  EXPECT_EQ(options.common.format, Format::kCsv);
  EXPECT_TRUE(options.common.quiet);
  EXPECT_TRUE(options.common.no_progress);
}

TEST(Args, TheLastOfARepeatedSingleOptionCounts) {
  EXPECT_EQ(Parsed({"list", "-o", "csv", "-o", "json"}).common.format, Format::kJson);
}

TEST(Args, ShowAfterIsExclusive) {
  EXPECT_EQ(Parsed({"show", "7", "--after", "99"}).select.after, 100U);
  EXPECT_EQ(Parsed({"show", "7"}).select.after, 0U);
}

TEST(Args, GetTakesATaskThenFiles) {
  const Options options = Parsed({"get", "7.0", "a.msh", "*.dat", "-d", "out"});
  EXPECT_THAT(options.select.selectors, ElementsAre("7.0"));
  EXPECT_THAT(options.select.files, ElementsAre("a.msh", "*.dat"));
  EXPECT_EQ(options.select.directory, "out");
}

TEST(Args, ConfigTakesActionKeyAndValue) {
  const Options options = Parsed({"config", "set", "cache.max_size_mb", "2000"});
  EXPECT_EQ(options.action.action, "set");
  EXPECT_EQ(options.action.key, "cache.max_size_mb");
  EXPECT_EQ(options.action.value, "2000");
}

TEST(Args, AWordBehindAVerbIsNoSecondVerb) {
  const Options options = Parsed({"config", "list", "--origin"});
  EXPECT_EQ(options.verb, "config");
  EXPECT_EQ(options.action.action, "list");
  EXPECT_TRUE(options.action.origin);
}

struct BadCase {
  std::vector<std::string> arguments;
  std::string says;
};

TEST(Args, WrongUsageIsOneLineThatNamesIt) {
  const std::vector<BadCase> cases = {
      {{}, "no verb"},
      {{"sumbit", "noop"}, "did you mean 'submit'?"},
      {{"frobnicate"}, "unknown verb 'frobnicate'"},
      {{"submit", "noop", "--prioritty", "5"}, "did you mean '--priority'?"},
      {{"submit", "noop", "extra"}, "'extra' is one word too many"},
      {{"submit"}, "analysis is required"},
      {{"submit", "noop", "--priority", "5000"}, "-1000 to 1000"},
      {{"submit", "noop", "--cpus", "0"}, "--cpus"},
      {{"submit", "noop", "--cpus", "two"}, "'two' is not a whole number"},
      {{"submit", "noop", "--timeout", "soon"}, "'soon' is not a duration"},
      {{"submit", "noop", "--memory", "lots"}, "'lots' is not a size"},
      {{"submit", "noop", "--target"}, "--target"},
      {{"submit", "noop", "--no-cache", "--refresh"}, "goes with neither"},
      {{"run"}, "after --"},
      {{"run", "--"}, "after --"},
      {{"list", "--", "ls"}, "takes no command"},
      {{"list", "-o", "yaml"}, "'yaml' is not an output format"},
      {{"wait"}, "job is required"},
      {{"--nonsense"}, "--nonsense"},
  };
  for (const BadCase& one : cases) {
    const BadArguments bad = Refused(one.arguments);
    EXPECT_EQ(bad.error.code, ErrorCode::kUsage);
    EXPECT_THAT(bad.error.message, HasSubstr(one.says));
    EXPECT_EQ(bad.error.message.find('\n'), std::string::npos) << bad.error.message;
  }
}

TEST(Args, AnErrorKnowsTheFormatThatWasAskedFor) {
  EXPECT_EQ(Refused({"submit", "noop", "--cpus", "0", "-o", "json"}).format, Format::kJson);
  EXPECT_EQ(Refused({"submit", "noop", "-ojson", "--nonsense"}).format, Format::kJson);
  EXPECT_EQ(Refused({"sumbit", "--format=json"}).format, Format::kJson);
  EXPECT_EQ(Refused({"sumbit"}).format, Format::kText);
}

TEST(Args, TheFieldOfABadOptionIsItsName) {
  EXPECT_EQ(Refused({"submit", "noop", "--priority", "x"}).error.field, "priority");
}

TEST(Args, HelpHasAnExampleOfEachVerb) {
  EXPECT_THAT(Text({"--help"}), HasSubstr("doctor"));
  EXPECT_THAT(Text({"submit", "--help"}), HasSubstr("icarus submit airfoil_polar"));
  EXPECT_THAT(Text({"workers", "-h"}), HasSubstr("icarus workers drain"));
  EXPECT_THAT(Text({"--version"}), testing::MatchesRegex("icarus [0-9.]+\n"));
}

}  // namespace
}  // namespace icarus::client
