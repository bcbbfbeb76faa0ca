#include "client/output/column_format.h"

#include <gtest/gtest.h>

namespace icarus::client {
namespace {

std::string Format(const std::string& column, const std::vector<double>& numbers, double value) {
  return ColumnFormat::For(column, numbers).Format(Value(value));
}

TEST(ColumnFormat, CoefficientsHaveTheDecimalsOfPolarFiles) {
  EXPECT_EQ(Format("cl", {1.2, 0.25}, 0.25), "0.2500");
  EXPECT_EQ(Format("cd", {0.0066}, 0.0066), "0.00660");
}

TEST(ColumnFormat, WholeNumbersStayWhole) {
  EXPECT_EQ(Format("reynolds", {200000, 1e6}, 1e6), "1000000");
  EXPECT_EQ(Format("aoa", {-4, 12}, -4), "-4");
}

TEST(ColumnFormat, DecimalsAreThoseThatTheNumbersNeed) {
  EXPECT_EQ(Format("aoa", {-4, 0.5}, -4), "-4.0");
  EXPECT_EQ(Format("x", {123.456789, 1}, 123.456789), "123.46");
}

TEST(ColumnFormat, NumbersThatSpanDecadesAreGeneral) {
  EXPECT_EQ(Format("residual", {0.123456, 1.5e-9}, 1.5e-9), "1.5e-09");
  EXPECT_EQ(Format("residual", {0.123456, 1.5e-9}, 0), "0");
}

TEST(ColumnFormat, TinyNegativeIsNotANegativeZero) { EXPECT_EQ(Format("cm", {0.1, -1e-12}, -1e-12), "0.0000"); }

TEST(ColumnFormat, NullIsADashAndWordsAreThemselves) {
  const ColumnFormat format = ColumnFormat::For("cd", {});
  EXPECT_EQ(format.Format(Value()), "–");
  EXPECT_EQ(format.Format(Value("laminar")), "laminar");
  EXPECT_EQ(format.Format(Value(true)), "true");
}

}  // namespace
}  // namespace icarus::client
