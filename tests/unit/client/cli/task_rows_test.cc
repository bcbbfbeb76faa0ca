#include "client/cli/task_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/csv_reader.h"

namespace icarus::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Shown(const TaskRows& rows) {
  std::string text;
  for (const AxisColumn& column : rows.columns) {
    text += column.name + ":";
    for (const Value& value : column.values.list) text += " " + (value.is_null() ? "-" : FormatValue(value));
    text += "\n";
  }
  return text;
}

TEST(TaskRows, AnArrayOfObjects) {
  const auto rows = ParseTaskRows(
      R"([{"target":"naca0012","reynolds":1e6,"viscous":true},{"target":"0024","mach":0.1,"aoa":[1,2]}])");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->rows, 2U);
  EXPECT_THAT(rows->targets, ElementsAre("naca0012", "0024"));
  EXPECT_EQ(Shown(*rows), "reynolds: 1000000 -\nviscous: true -\nmach: - 0.1\naoa: - [1,2]\n");
}

TEST(TaskRows, JsonLinesAndOneObject) {
  const auto rows = ParseTaskRows("{\"i\":1}\n\n{\"i\":2}\n");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(Shown(*rows), "i: 1 2\n");
  EXPECT_THAT(rows->targets, IsEmpty());
  EXPECT_EQ(ParseTaskRows("{\"i\":1}")->rows, 1U);
}

TEST(TaskRows, TextsAreReadAsOnTheCommandLine) {
  const auto rows = ParseTaskRows(R"([{"aoa":"-1:1:1","reynolds":"2e5","geometry":"exact"}])");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(Shown(*rows), "aoa: [-1,0,1]\nreynolds: 200000\ngeometry: exact\n");
}

TEST(TaskRows, Csv) {
  const auto rows = ParseTaskRows("\xEF\xBB\xBFtarget, reynolds ,aoa\r\nnaca0012,1e6,\"1,2\"\r\n0012,2e6,\r\n");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_THAT(rows->targets, ElementsAre("naca0012", "0012"));
  EXPECT_EQ(Shown(*rows), "reynolds: 1000000 2000000\naoa: [1,2] -\n");
}

TEST(TaskRows, WrongRowsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no row"},
      {"[]", "no row"},
      {"[1]", "row 1"},
      {"[{\"a\":1},{\"a\":{}}]", "row 2, a"},
      {"{\"a\":1}\nnonsense\n", "line 2"},
      {"[{\"a\":1}", "line 1"},
      {"a,b\n1,2\n3\n", "row 2: has 1 cells, the header 2"},
      {"a,a\n1,2\n", "row 1, a: is there twice"},
      {"a\n", "a header line and a line a task"},
      {"a,\n1,2\n", "no name"},
      {"aoa\n-4:0.5:12\n", "first:last:step"},
      {"a\n\"1\n", "quote"},
      {"[{\"target\":\"x\"},{\"a\":1}]", "row 2, target"},
      {"[{\"a\":1},{\"target\":\"x\"}]", "target"},
  };
  for (const auto& [text, says] : cases) {
    const auto rows = ParseTaskRows(text);
    ASSERT_FALSE(rows) << text;
    EXPECT_EQ(rows.error().code, ErrorCode::kUsage) << text;
    EXPECT_THAT(rows.error().message, HasSubstr(says));
  }
}

TEST(Csv, QuotesHoldCommasLinesAndQuotes) {
  const auto records = ParseCsv("a,\"b,\"\"c\"\"\nd\"\n\n1,\n");
  ASSERT_TRUE(records) << records.error().message;
  EXPECT_THAT(*records, ElementsAre(ElementsAre("a", "b,\"c\"\nd"), ElementsAre("1", "")));
  EXPECT_FALSE(ParseCsv("\"a\"b\n"));
}

}  // namespace
}  // namespace icarus::client
