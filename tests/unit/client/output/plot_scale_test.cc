#include "client/output/plot_scale.h"

#include <gtest/gtest.h>

namespace icarus::client {
namespace {

std::vector<std::string> Labels(const PlotScale& scale) {
  std::vector<std::string> labels;
  for (const double tick : scale.ticks) labels.push_back(scale.Label(tick));
  return labels;
}

TEST(PlotScale, TicksAreRound) {
  EXPECT_EQ(Labels(MakeScale(-10, 16, 7)), (std::vector<std::string>{"−10", "−5", "0", "5", "10", "15"}));
  EXPECT_EQ(Labels(MakeScale(0.0054, 0.0417, 7)), (std::vector<std::string>{"0.01", "0.02", "0.03", "0.04"}));
}

TEST(PlotScale, ShowsAllOfTheDataWithRoom) {
  const PlotScale scale = MakeScale(-1.1, 1.6, 8);
  EXPECT_LT(scale.low, -1.1);
  EXPECT_GT(scale.high, 1.6);
  EXPECT_GE(scale.ticks.size(), 3u);
  EXPECT_LE(scale.ticks.size(), 9u);
  EXPECT_DOUBLE_EQ(scale.Fraction(scale.low), 0);
  EXPECT_DOUBLE_EQ(scale.Fraction(scale.high), 1);
}

TEST(PlotScale, OneValueHasAScaleToo) {
  for (const double value : {0.0, 5.0, -3e-7, 1e9}) {
    const PlotScale scale = MakeScale(value, value, 7);
    EXPECT_LT(scale.low, value);
    EXPECT_GT(scale.high, value);
    EXPECT_GE(scale.ticks.size(), 2u);
  }
}

TEST(PlotScale, LargeNumbersArePowersOfTen) {
  EXPECT_EQ(Labels(MakeScale(2e5, 1e6, 5)), (std::vector<std::string>{"2×10⁵", "4×10⁵", "6×10⁵", "8×10⁵", "1×10⁶"}));
}

TEST(FormatScientific, IsShort) {
  EXPECT_EQ(FormatScientific(1.5e6), "1.5×10⁶");
  EXPECT_EQ(FormatScientific(0.00012), "1.2×10⁻⁴");
  EXPECT_EQ(FormatScientific(9), "9");
  EXPECT_EQ(FormatScientific(-0.3), "−0.3");
}

}  // namespace
}  // namespace icarus::client
