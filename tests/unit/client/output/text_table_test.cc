#include "client/output/text_table.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace icarus::client {
namespace {

TextTable SampleTable() {
  TextTable table;
  table.AddColumn("job", Align::kRight);
  table.AddColumn("name");
  table.AddColumn("state");
  table.AddRow({"7", "Flügel 翼型", Cell("failed", Colour::kRed)});
  table.AddRow({"1234", "b", "completed"});
  return table;
}

TEST(TextTable, AlignsByDisplayWidth) {
  EXPECT_EQ(SampleTable().Render({}),
            " job  name         state\n"
            "   7  Flügel 翼型  failed\n"
            "1234  b            completed\n");
}

TEST(TextTable, ColourDoesNotShiftColumns) {
  const std::string text = SampleTable().Render({0, true});
  EXPECT_NE(text.find("   7  Flügel 翼型  \x1b[31mfailed\x1b[0m\n"), std::string::npos) << text;
}

TEST(TextTable, TheWidestTextGivesWayOnANarrowTerminal) {
  TextTable table;
  table.AddColumn("task", Align::kRight);
  table.AddColumn("state");
  table.AddColumn("error");
  table.AddRow({"7.123", "failed", "a long story of what went wrong"});
  EXPECT_EQ(table.Render({30, false}),
            " task  state   error\n"
            "7.123  failed  a long story o…\n");
}

TEST(TextTable, NumbersAndTheLastColumnsStayWhole) {
  TextTable table;
  table.AddColumn("name");
  table.AddColumn("done", Align::kRight);
  table.AddColumn("user");
  table.AddRow({"a very long name of a study", "1234567890", "anna"});
  EXPECT_EQ(table.Render({30, false}),
            "name                done  user\n"
            "a very long…  1234567890  anna\n");
}

TEST(TextTable, NoLineIsWiderThanTheTerminal) {
  for (std::size_t width = 1; width <= 40; ++width) {
    for (const std::string& line : Split(SampleTable().Render({width, false}), '\n')) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(TextTable, EmptyColumnsCanBeLeftOut) {
  TextTable table;
  table.AddColumn("a");
  table.AddColumn("error");
  table.AddColumn("b");
  table.AddRow({"1", "", "2"});
  table.DropEmptyColumns();
  EXPECT_EQ(table.Render({}), "a  b\n1  2\n");
}

TEST(TextTable, CellsAreTamed) {
  TextTable table;
  table.AddColumn("a");
  table.AddRow({"x\x1b[2J\ny"});
  EXPECT_EQ(table.Render({}), "a\nx [2J y\n");
}

}  // namespace
}  // namespace icarus::client
