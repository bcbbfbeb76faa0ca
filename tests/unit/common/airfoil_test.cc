#include "common/analysis/airfoil.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/model/limits.h"

namespace icarus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// 20 panels of NACA 2412 in some layout.
struct Sides {
  std::vector<std::string> upper;  // from the leading to the trailing edge, "x y"
  std::vector<std::string> lower;
};

std::string Line(const AirfoilPoints& points, std::size_t i) {
  return FormatNumber(points.x[i]) + " " + FormatNumber(points.y[i]);
}

Sides MakeSides() {
  const AirfoilPoints points = NacaPoints("naca2412", 20);
  Sides sides;
  for (std::size_t i = 0; i <= 10; ++i) sides.upper.push_back(Line(points, 10 - i));
  for (std::size_t i = 10; i <= 20; ++i) sides.lower.push_back(Line(points, i));
  return sides;
}

std::string Join(const std::vector<std::string>& lines, const std::string& end = "\n") {
  std::string text;
  for (const auto& line : lines) text += line + end;
  return text;
}

std::vector<std::string> SeligLines() {
  const Sides sides = MakeSides();
  std::vector<std::string> lines(sides.upper.rbegin(), sides.upper.rend());
  lines.insert(lines.end(), sides.lower.begin() + 1, sides.lower.end());
  return lines;
}

std::string ContentOf(const std::string& bytes) {
  const auto target = ParseAirfoilCoordinates("dir/foil.dat", bytes);
  EXPECT_TRUE(target.has_value()) << (target ? "" : target.error().message);
  return target ? target->content : "";
}

std::string ErrorOf(const std::string& bytes) {
  const auto target = ParseAirfoilCoordinates("dir/foil.dat", bytes);
  EXPECT_FALSE(target.has_value());
  if (target) return "";
  EXPECT_EQ(target.error().code, ErrorCode::kUsage);
  EXPECT_EQ(target.error().field, "target");
  EXPECT_THAT(target.error().message, AllOf(HasSubstr("foil.dat"), Not(HasSubstr("dir/")), Not(HasSubstr("\n"))));
  return target.error().message;
}

TEST(AirfoilNameTest, CaseAndBlanksDoNotMatter) {
  for (const char* text : {"naca2412", "NACA 2412", " Naca 24 12", "NACA\t2412"}) {
    const auto target = ParseAirfoilName(text);
    ASSERT_TRUE(target.has_value()) << text;
    EXPECT_EQ(target->name, "naca2412");
    EXPECT_EQ(target->content, "");
  }
  EXPECT_EQ(ParseAirfoilName("NACA 23012")->name, "naca23012");
  EXPECT_EQ(ParseAirfoilName("naca0001")->name, "naca0001");
}

TEST(AirfoilNameTest, RefusesWhatHasNoDefinition) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"2412", "not an airfoil that is known"},
                                                                  {"naca", "not an airfoil"},
                                                                  {"clarky", "not an airfoil"},
                                                                  {"naca241", "not an airfoil"},
                                                                  {"naca651212", "not an airfoil"},
                                                                  {"naca24a2", "not an airfoil"},
                                                                  {"naca2400", "cannot be 00"},
                                                                  {"naca23000", "cannot be 00"},
                                                                  {"naca2012", "camber needs a position"},
                                                                  {"naca0412", "write naca0012"},
                                                                  {"naca23112", "mean lines"},
                                                                  {"naca26012", "mean lines"},
                                                                  {"naca43012", "mean lines"},
                                                                  {"", "not an airfoil"}};
  for (const auto& [text, why] : cases) {
    const auto target = ParseAirfoilName(text);
    ASSERT_FALSE(target.has_value()) << text;
    EXPECT_THAT(target.error().message, HasSubstr(why)) << text;
    EXPECT_EQ(target.error().field, "target");
    EXPECT_EQ(target.error().code, ErrorCode::kUsage);
  }
}

TEST(AirfoilNameTest, AFileHasASlashOrADot) {
  EXPECT_TRUE(LooksLikeAirfoilFile("foil.dat"));
  EXPECT_TRUE(LooksLikeAirfoilFile("dir/foil"));
  EXPECT_FALSE(LooksLikeAirfoilFile("naca2412"));
}

// The ordinates of NACA Report 460 and 537, at the stations where they are known in closed form.
TEST(NacaPointsTest, FourDigitsFollowTheDefinition) {
  const AirfoilPoints points = NacaPoints("naca0012", 160);
  ASSERT_EQ(points.size(), 161u);
  EXPECT_DOUBLE_EQ(points.x[0], 1);
  EXPECT_NEAR(points.y[0], 0.6 * (0.2969 - 0.1260 - 0.3516 + 0.2843 - 0.1015), 1e-15);  // blunt
  EXPECT_NEAR(points.x[80], 0, 1e-15);
  EXPECT_NEAR(points.y[80], 0, 1e-15);
  double thickest = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(points.y[i], -points.y[160 - i], 1e-15);
    thickest = std::max(thickest, points.y[i]);
  }
  EXPECT_NEAR(thickest, 0.06, 5e-5);
}

TEST(NacaPointsTest, ThicknessIsNormalToTheMeanLine) {
  // At the maximum camber the mean line is level: x = 0.4 has the points (0.4, 0.02 ± half thickness).
  const double half = 0.6 * (0.2969 * std::sqrt(0.4) - 0.1260 * 0.4 - 0.3516 * 0.16 + 0.2843 * 0.064 - 0.1015 * 0.0256);
  const AirfoilPoints points = NacaPoints("naca2412", 20000);
  std::size_t nearest = 0;
  for (std::size_t i = 0; i < 10000; ++i) {
    if (std::abs(points.x[i] - 0.4) < std::abs(points.x[nearest] - 0.4)) nearest = i;
  }
  EXPECT_NEAR(points.y[nearest], 0.02 + half, 1e-6);
  // Ahead of it the line rises, so the upper surface lies ahead of the station and the lower behind it.
  const AirfoilPoints coarse = NacaPoints("naca4412", 40);
  const double station = 0.5 * (1 + std::cos(2 * std::acos(-1.0) * 17 / 40));
  EXPECT_LT(coarse.x[17], station);
  EXPECT_GT(coarse.x[23], station);
  EXPECT_NEAR(0.5 * (coarse.x[17] + coarse.x[23]), station, 1e-15);
}

TEST(NacaPointsTest, FiveDigitMeanLineOfDesignLift) {
  const AirfoilPoints points = NacaPoints("naca23012", 20000);
  const double r = 0.2025, k1 = 15.957;
  double best = 1, mean = 0;
  for (std::size_t i = 1; i < 10000; ++i) {
    const double station = 0.5 * (points.x[i] + points.x[20000 - i]);
    if (std::abs(station - 0.15) < best) {
      best = std::abs(station - 0.15);
      mean = 0.5 * (points.y[i] + points.y[20000 - i]);
    }
  }
  const double x = 0.15;
  EXPECT_NEAR(mean, k1 / 6 * (x * x * x - 3 * r * x * x + r * r * (3 - r) * x), 1e-6);
}

TEST(CoordinatesTest, LayoutsOfTheSamePointsGiveTheSameContent) {
  const Sides sides = MakeSides();
  const auto selig = SeligLines();
  const std::string expected = Join(selig);
  EXPECT_EQ(ContentOf(expected), expected);
  EXPECT_EQ(ContentOf("NACA 2412\n" + Join(selig, "\r\n")), expected);
  EXPECT_EQ(ContentOf("\xEF\xBB\xBF# comment\n\nname\n\n" + Join(selig, "  \n\n")), expected);

  std::string tabs = Join(selig);
  for (char& c : tabs) c = c == ' ' ? '\t' : c;
  EXPECT_EQ(ContentOf(tabs), expected);
  std::string commas = Join(selig);
  for (char& c : commas) c = c == ' ' ? ',' : c;
  EXPECT_EQ(ContentOf(commas), expected);
  EXPECT_EQ(ContentOf(Join({selig.rbegin(), selig.rend()})), expected) << "the other way round";

  const std::string two_runs = Join(sides.upper) + "\n" + Join(sides.lower);
  EXPECT_EQ(ContentOf("NACA 2412\n 11. 11.\n\n" + two_runs), expected) << "Lednicer";
  EXPECT_EQ(ContentOf("NACA 2412\n" + two_runs), expected) << "Lednicer without counts";
  EXPECT_EQ(ContentOf("NACA 2412\n11 11\n" + Join(sides.lower) + Join(sides.upper)), expected) << "lower side first";
}

TEST(CoordinatesTest, ContentIsAFixedPointAndNamed) {
  const auto target = ParseAirfoilCoordinates("some/dir/foil.dat", "name\n" + Join(SeligLines()));
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->name, "foil.dat");
  const auto again = ParseAirfoilCoordinates(target->name, target->content);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->content, target->content);
}

TEST(CoordinatesTest, RepeatedPointsAreDropped) {
  auto lines = SeligLines();
  const std::string expected = Join(lines);
  lines.insert(lines.begin() + 5, lines[5]);
  lines.push_back(lines.back());
  EXPECT_EQ(ContentOf(Join(lines)), expected);
}

TEST(CoordinatesTest, AnotherChordIsScaledToOne) {
  const AirfoilPoints points = NacaPoints("naca0012", 20);
  std::string percent;
  for (std::size_t i = 0; i < points.size(); ++i) {
    percent += FormatNumber(100 * points.x[i] + 7) + " " + FormatNumber(100 * points.y[i]) + "\n";
  }
  const auto target = ParseAirfoilCoordinates("foil.dat", percent);
  ASSERT_TRUE(target.has_value()) << target.error().message;
  const auto decoded = DecodeCoordinates(target->content);
  ASSERT_TRUE(decoded.has_value());
  ASSERT_EQ(decoded->size(), points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(decoded->x[i], points.x[i], 1e-14);
    EXPECT_NEAR(decoded->y[i], points.y[i], 1e-14);
  }
  EXPECT_EQ(ContentOf(target->content), target->content) << "scaled once";
}

TEST(CoordinatesTest, DecodeGivesTheNumbersBackExactly) {
  const auto decoded = DecodeCoordinates(ContentOf(Join(SeligLines())));
  ASSERT_TRUE(decoded.has_value());
  const AirfoilPoints points = NacaPoints("naca2412", 20);
  EXPECT_EQ(decoded->x, points.x);
  EXPECT_EQ(decoded->y, points.y);
  EXPECT_FALSE(DecodeCoordinates("not a number").has_value());
  EXPECT_FALSE(DecodeCoordinates("").has_value());
}

TEST(CoordinatesTest, SaysWhatIsWrongAndWhere) {
  auto lines = SeligLines();
  EXPECT_THAT(ErrorOf(""), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf(" \r\n\n"), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf("just a name\n"), HasSubstr("no coordinates"));
  EXPECT_THAT(ErrorOf(Join({lines.begin(), lines.begin() + 9})), HasSubstr("only 9"));

  const auto with_line = [&lines](const std::string& line) {
    auto changed = lines;
    changed[3] = line;
    return "name\n" + Join(changed);
  };
  EXPECT_THAT(ErrorOf(with_line("0.5")), AllOf(HasSubstr("line 5"), HasSubstr("two numbers")));
  EXPECT_THAT(ErrorOf(with_line("0.5 0.1 0.2")), HasSubstr("line 5"));
  EXPECT_THAT(ErrorOf(with_line("0.5 abc\x01")), AllOf(HasSubstr("line 5"), HasSubstr("abc?")));
  EXPECT_THAT(ErrorOf(with_line("0.5 nan")), AllOf(HasSubstr("line 5"), HasSubstr("finite")));
  EXPECT_THAT(ErrorOf(with_line("-Inf 0.1")), AllOf(HasSubstr("line 5"), HasSubstr("finite")));
  EXPECT_THAT(ErrorOf(with_line("0.5 1e300")), AllOf(HasSubstr("line 5"), HasSubstr("1e9")));
}

TEST(CoordinatesTest, RefusesWhatIsNoSection) {
  std::vector<std::string> line, same_x;
  for (int i = 0; i <= 20; ++i) {
    line.push_back(FormatNumber(std::abs(i - 10) / 10.0) + " " + FormatNumber(0.1 * std::abs(i - 10) / 10.0));
    same_x.push_back("0.5 " + FormatNumber(i / 20.0));
  }
  EXPECT_THAT(ErrorOf(Join(line)), HasSubstr("one line"));
  EXPECT_THAT(ErrorOf(Join(same_x)), HasSubstr("chord is zero"));

  auto crossed = SeligLines();
  std::swap(crossed[5], crossed[15]);  // upper and lower exchanged at one station
  EXPECT_THAT(ErrorOf(Join(crossed)), HasSubstr("crosses itself"));

  auto rotated = SeligLines();
  std::rotate(rotated.begin(), rotated.begin() + 10, rotated.end());
  EXPECT_THAT(ErrorOf(Join(rotated)), HasSubstr("trailing edge"));

  const Sides sides = MakeSides();
  EXPECT_THAT(ErrorOf("11 12\n" + Join(sides.upper) + Join(sides.lower)),
              AllOf(HasSubstr("announces 23"), HasSubstr("has 22")));
}

TEST(CoordinatesTest, EnforcesItsLimits) {
  const AirfoilPoints points = NacaPoints("naca0012", static_cast<int>(limits::kMaxTargetPoints));
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) text += Line(points, i) + "\n";
  EXPECT_THAT(ErrorOf(text), HasSubstr("more than 2000 points"));
  const std::size_t first_line = text.find('\n') + 1;
  EXPECT_EQ(ContentOf(text.substr(first_line)), text.substr(first_line)) << "exactly the limit";
  EXPECT_THAT(ErrorOf(std::string(limits::kMaxTargetBytes + 1, ' ')), HasSubstr("limit of 1.0 MiB"));
}

}  // namespace
}  // namespace icarus
