#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "worker/solvers/polar_request.h"
#include "worker/solvers/polar_summary.h"
#include "worker/solvers/xfoil/output_reader.h"
#include "worker/solvers/xfoil/polar_file.h"

namespace icarus::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ValueMap Params() {
  return {{"aoa", Value(Value::List{Value(2.0), Value(-1.0), Value(2.0)})},
          {"reynolds", Value(1e6)},
          {"mach", Value(0.1)},
          {"ncrit", Value(5.0)},
          {"xtr_top", Value(0.3)},
          {"xtr_bottom", Value(0.6)},
          {"panels", Value(200.0)},
          {"iter", Value(50.0)},
          {"viscous", Value(true)},
          {"geometry", Value("exact")},
          {"march", Value(0.25)}};
}

TEST(PolarRequestTest, ReadsEveryParameter) {
  const auto request = ReadPolarRequest(Params());
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_THAT(request->aoa, ElementsAre(-1, 2));
  EXPECT_EQ(request->reynolds, 1e6);
  EXPECT_EQ(request->mach, 0.1);
  EXPECT_EQ(request->ncrit, 5);
  EXPECT_EQ(request->xtr_top, 0.3);
  EXPECT_EQ(request->xtr_bottom, 0.6);
  EXPECT_EQ(request->panels, 200);
  EXPECT_EQ(request->iter, 50);
  EXPECT_TRUE(request->viscous);
  EXPECT_TRUE(request->exact_geometry);
  EXPECT_EQ(request->march, 0.25);
}

TEST(PolarRequestTest, InviscidNeedsNoReynoldsNumber) {
  ValueMap params = Params();
  params.erase("reynolds");
  EXPECT_FALSE(ReadPolarRequest(params).has_value());
  params["viscous"] = Value(false);
  const auto request = ReadPolarRequest(params);
  ASSERT_TRUE(request.has_value());
  EXPECT_FALSE(request->reynolds.has_value());
}

TEST(PolarRequestTest, NamesTheParameterAtFault) {
  const std::vector<std::pair<std::string, Value>> wrong = {
      {"aoa", Value("four")},   {"aoa", Value(31.0)},          {"aoa", Value(Value::List{})}, {"reynolds", Value(0.0)},
      {"mach", Value(0.95)},    {"mach", Value(std::nan(""))}, {"ncrit", Value(0.0)},         {"panels", Value(160.5)},
      {"iter", Value(1e6)},     {"viscous", Value("yes")},     {"geometry", Value("own")},    {"march", Value(0.0)},
      {"xtr_top", Value(-0.1)}, {"xtr_bottom", Value(true)}};
  for (const auto& [name, value] : wrong) {
    ValueMap params = Params();
    params[name] = value;
    const auto request = ReadPolarRequest(params);
    ASSERT_FALSE(request.has_value()) << name;
    EXPECT_EQ(request.error().field, name);
  }
}

TEST(PolarRequestTest, RoundsToTenDigits) {
  EXPECT_EQ(RoundResult(1.0 / 3), 0.3333333333);
  EXPECT_EQ(RoundResult(-123456.78912345), -123456.7891);
  EXPECT_EQ(RoundResult(0.1 + 0.2), 0.3);
  EXPECT_FALSE(std::signbit(RoundResult(-0.0)));
  EXPECT_TRUE(Cell(std::numeric_limits<double>::infinity()).is_null());
  EXPECT_TRUE(Cell(std::nullopt).is_null());
}

std::vector<Value> Row(double aoa, double cl, Value cd = Value()) {
  return {Value(aoa), Value(cl), std::move(cd), Value(), Value(), Value(), Value()};
}

TEST(PolarSummaryTest, SaysWhatThePolarAmountsTo) {
  const ValueMap summary =
      SummarisePolar({Row(-3, -0.1, Value(0.010)), Row(-1, 0.1, Value(0.005)), Row(1, 0.3, Value(0.006)),
                      Row(8, 1.1, Value(0.010)), Row(9, 1.0, Value(0.020))});
  EXPECT_EQ(summary.at("cl_max"), Value(1.1));
  EXPECT_EQ(summary.at("aoa_cl_max"), Value(8.0));
  EXPECT_EQ(summary.at("cd_min"), Value(0.005));
  EXPECT_EQ(summary.at("l_over_d_max"), Value(110.0));
  EXPECT_EQ(summary.at("aoa_zero_lift"), Value(-2.0));
  EXPECT_EQ(summary.at("cl_alpha_per_deg"), Value(0.1)) << "of the three rows within 5 degrees";
}

TEST(PolarSummaryTest, IsNullWhereRowsDoNotSay) {
  const ValueMap none = SummarisePolar({});
  EXPECT_EQ(none.size(), 6u);
  for (const auto& [name, value] : none) EXPECT_TRUE(value.is_null()) << name;
  const ValueMap one = SummarisePolar({Row(7, 0.8)});
  EXPECT_EQ(one.at("cl_max"), Value(0.8));
  EXPECT_TRUE(one.at("cd_min").is_null());
  EXPECT_TRUE(one.at("l_over_d_max").is_null());
  EXPECT_TRUE(one.at("aoa_zero_lift").is_null());
  EXPECT_TRUE(one.at("cl_alpha_per_deg").is_null());
  EXPECT_EQ(SummarisePolar({Row(7, 0.8), Row(9, 1.0)}).at("cl_alpha_per_deg"), Value(0.1)) << "what is there";
  const ValueMap stalled = SummarisePolar({Row(-8, 0.1), Row(-6, -0.1), Row(0, -0.1), Row(2, 0.1)});
  EXPECT_EQ(stalled.at("aoa_zero_lift"), Value(1.0)) << "the change of sign nearest 0 degrees";
  EXPECT_EQ(SummarisePolar({Row(0, 0), Row(2, 0.2)}).at("aoa_zero_lift"), Value(0.0));
}

constexpr const char* kPolarHead =
    "  \n       XFOIL         Version 6.99\n  \n Calculated polar for: NACA 2412\n  \n"
    " Mach =   0.000     Re =     0.500 e 6     Ncrit =   9.000  9.000\n  \n"
    "   alpha    CL        CD       CDp       CM     Top_Xtr  Bot_Xtr  Top_Itr  Bot_Itr\n"
    "  ------ -------- --------- --------- -------- -------- -------- -------- --------\n";

TEST(PolarFileTest, ReadsSevenColumnsInOrder) {
  const auto rows =
      ParsePolarFile(std::string(kPolarHead) +
                     "   2.000   0.5040   0.00720   0.00131  -0.0592   0.5891   0.9967  27.3905 159.6115\n"
                     "  -1.000   0.1288   0.00668   0.00103  -0.0537   0.7948   0.6524\n");
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_TRUE(rows[0] && rows[1]);
  EXPECT_EQ(rows[0]->alpha, 2);
  EXPECT_EQ(rows[0]->cl, 0.5040);
  EXPECT_EQ(rows[0]->cd, 0.00720);
  EXPECT_EQ(rows[0]->cdp, 0.00131);
  EXPECT_EQ(rows[0]->cm, -0.0592);
  EXPECT_EQ(rows[0]->xtr_top, 0.5891);
  EXPECT_EQ(rows[0]->xtr_bottom, 0.9967);
  EXPECT_EQ(rows[1]->alpha, -1) << "without the two columns of newer versions";
}

TEST(PolarFileTest, ARowThatIsNotNumbersIsNothing) {
  const auto rows =
      ParsePolarFile(std::string(kPolarHead) + "   2.000   NaN   0.00720   0.00131  -0.0592   0.5891   0.99\n" +
                     "   3.000 ********   0.00720   0.00131  -0.0592   0.5891   0.99\n   4.000   0.5\n" +
                     "   5.000   0.50   0.00720   0.001");
  ASSERT_EQ(rows.size(), 3u) << "the line without an end is left out";
  for (const auto& row : rows) EXPECT_FALSE(row.has_value());
  EXPECT_TRUE(ParsePolarFile("").empty());
}

TEST(OutputReaderTest, CountsPointsHoweverTheBytesArrive) {
  const std::string text =
      "  XFOIL Version 6.99\n  .OPERva   c>  \n Point added to stored polar  1\n   MRCHDU: Convergence failed at  48\n"
      " VISCAL:  Convergence failed\n Point added to stored polar  1\n"
      " Sequence halted since previous  4 points did not converge\n.OPERva   c>  ";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
    OutputReader reader({});
    for (std::size_t at = 0; at < text.size(); at += piece) ASSERT_TRUE(reader.Feed(text.substr(at, piece)));
    EXPECT_THAT(reader.points(), ElementsAre(true, false, true));
    EXPECT_TRUE(reader.halted());
    EXPECT_EQ(reader.version(), "6.99");
    EXPECT_EQ(reader.complaint(), "");
  }
}

TEST(OutputReaderTest, RemembersTheFirstComplaintAndTheLastLine) {
  OutputReader reader({});
  reader.Feed(" ***  No airfoil available  ***\n VISC command not recognized.\n\n At line 1: End of file \n\n");
  EXPECT_EQ(reader.complaint(), "***  No airfoil available  ***");
  EXPECT_EQ(reader.last_line(), "At line 1: End of file");
  EXPECT_FALSE(reader.halted());
}

TEST(OutputReaderTest, AFloodIsToldFromAPointThatEnds) {
  OutputReader reader({.bytes_a_point = 1000, .nans_a_point = 10});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(reader.Feed(std::string(900, 'x') + "\n Point added to stored polar 1\n"));
  EXPECT_FALSE(reader.Feed(std::string(1001, 'x'))) << "bytes of one point, without a line's end";
  OutputReader nans({.bytes_a_point = 100000, .nans_a_point = 10});
  ASSERT_TRUE(nans.Feed("NaN NaN NaN NaN NaN\n Point added to stored polar 1\n"));
  ASSERT_TRUE(nans.Feed("NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN\n"));
  EXPECT_FALSE(nans.Feed("NaN\n"));
}

}  // namespace
}  // namespace icarus::worker
