#include "common/base/logging.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "tests/support/temp_dir.h"

namespace icarus {
namespace {

using Json = nlohmann::json;

class LoggingTest : public ::testing::Test {
 protected:
  void Init(LogLevel level, bool json) { ASSERT_TRUE(InitLogging({"icarus-test", level, json, path()}).has_value()); }
  std::vector<std::string> Lines() const {
    auto lines = Split(ReadFile(path(), 10u << 20).value(), '\n');
    EXPECT_EQ(lines.back(), "");
    lines.pop_back();
    return lines;
  }
  void TearDown() override { ASSERT_TRUE(InitLogging({"icarus-test", LogLevel::kWarning, false, ""}).has_value()); }
  std::string path() const { return dir_ / "log"; }

  testing::TempDir dir_;
};

TEST_F(LoggingTest, WritesTextWithFields) {
  Init(LogLevel::kInfo, false);
  const std::string name = "n 1";
  LogInfo("worker registered", {{"worker", name}, {"slots", 4}, {"share", 0.5}, {"ok", true}, {"free", 7u}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  const auto now = ReadClocks().wall_ms;
  const auto time = ParseUtc(lines[0].substr(0, 24));
  EXPECT_TRUE(time <= now && time > now - 60'000) << lines[0];
  EXPECT_EQ(lines[0].substr(24), " info worker registered worker=\"n 1\" slots=4 share=0.5 ok=true free=7");
}

TEST_F(LoggingTest, WritesOneJsonObjectALine) {
  Init(LogLevel::kDebug, true);
  LogDebug("started");
  LogError("solver \"x\"\ncrashed", {{"text", "tab\there \\ \x01 \x7f é \xff\xc0\x80"},
                                     {"min", std::numeric_limits<std::int64_t>::min()},
                                     {"max", std::numeric_limits<std::uint64_t>::max()},
                                     {"nan", std::numeric_limits<double>::quiet_NaN()},
                                     {"pi", 3.25},
                                     {"flag", false}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(Json::parse(lines[0]).at("level"), "debug");
  const Json event = Json::parse(lines[1]);
  EXPECT_EQ(event.at("level"), "error");
  EXPECT_EQ(event.at("program"), "icarus-test");
  EXPECT_EQ(event.at("message"), "solver \"x\"\ncrashed");
  EXPECT_EQ(event.at("text"), "tab\there \\ \x01 \x7f é \ufffd\ufffd\ufffd");
  EXPECT_EQ(event.at("min"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(event.at("max"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(event.at("nan").is_null());
  EXPECT_EQ(event.at("pi"), 3.25);
  EXPECT_EQ(event.at("flag"), false);
}

TEST_F(LoggingTest, TextCannotForgeAnotherLine) {
  Init(LogLevel::kInfo, false);
  LogInfo("first\n2026-01-01T00:00:00.000Z error forged", {{"name", "a\nb"}});
  EXPECT_EQ(Lines().size(), 1u);
}

TEST_F(LoggingTest, BytesOfFormatStringsAreNotInterpreted) {
  Init(LogLevel::kInfo, false);
  LogInfo("{} {0} %v %s", {{"k", "{}"}});
  EXPECT_NE(Lines().at(0).find("info {} {0} %v %s k={}"), std::string::npos);
}

TEST_F(LoggingTest, KeepsToItsLevel) {
  Init(LogLevel::kWarning, false);
  LogDebug("no");
  LogInfo("no");
  LogWarning("yes");
  LogError("yes");
  EXPECT_EQ(Lines().size(), 2u);
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  SetLogLevel(LogLevel::kOff);
  LogError("no");
  EXPECT_EQ(Lines().size(), 2u);
}

TEST_F(LoggingTest, ThreadsDoNotMixTheirLines) {
  Init(LogLevel::kInfo, true);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 200; ++i) LogInfo("event", {{"thread", t}, {"i", i}});
      });
    }
  }
  const auto lines = Lines();
  EXPECT_EQ(lines.size(), 800u);
  for (const std::string& line : lines) EXPECT_TRUE(Json::accept(line)) << line;
}

TEST_F(LoggingTest, AppendsToTheFile) {
  Init(LogLevel::kInfo, false);
  LogInfo("one");
  Init(LogLevel::kInfo, false);
  LogInfo("two");
  EXPECT_EQ(Lines().size(), 2u);
}

TEST_F(LoggingTest, AFileThatCannotBeOpenedIsAnError) {
  const Status status = InitLogging({"icarus-test", LogLevel::kInfo, false, "/proc/icarus/log"});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
}

TEST(LogLevelText, IsReadByName) {
  EXPECT_EQ(ParseLogLevel("debug").value(), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("warn").value(), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("warning").value(), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("off").value(), LogLevel::kOff);
  EXPECT_EQ(ParseLogLevel("loud").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace icarus
