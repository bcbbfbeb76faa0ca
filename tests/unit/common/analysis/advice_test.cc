#include "common/analysis/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/analysis/catalogue.h"
#include "common/analysis/validate.h"

namespace icarus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> AdviceFor(const std::string& aoa, const std::string& solver = "xfoil", bool axis = false) {
  JobSpec spec;
  spec.analysis = "airfoil_polar";
  spec.solver = solver;
  spec.sweep.targets.push_back({"naca2412", ""});
  spec.sweep.base["reynolds"] = Value(1e6);
  if (axis) {
    spec.sweep.axes.push_back(Axis{{AxisColumn{"aoa", *ParseValues(aoa)}}});
  } else {
    spec.sweep.base["aoa"] = *ParseValue(aoa);
  }
  EXPECT_TRUE(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  return Advise(*Catalogue::BuiltIn().Find(spec.analysis), spec);
}

TEST(Advice, NamesTheMarchThatHasAllAnglesOnItsGrid) {
  const auto tells = ElementsAre(HasSubstr("120 of 151 angles lie off the grid of march=0.5"));
  EXPECT_THAT(AdviceFor("-5:10:0.1"), tells);
  EXPECT_THAT(AdviceFor("-5:10:0.1"), ElementsAre(HasSubstr("-p march=0.1 has them all")));
  EXPECT_THAT(AdviceFor("-5:10:0.1", "xfoil", true), tells);
  EXPECT_THAT(AdviceFor("-10:10:0.25"), ElementsAre(HasSubstr("-p march=0.25 has them all")));
}

TEST(Advice, NamesNoMarchWhereNoneHasThemAll) {
  const auto advice = AdviceFor("0:6:0.03");
  ASSERT_THAT(advice, ElementsAre(HasSubstr("a march of its own")));
  EXPECT_EQ(advice[0].find("-p march"), std::string::npos);
}

TEST(Advice, IsSilentWhereThereIsNothingToGain) {
  EXPECT_THAT(AdviceFor("-5:15:0.5"), IsEmpty());
  EXPECT_THAT(AdviceFor("0:1:0.1"), IsEmpty()) << "few angles";
  EXPECT_THAT(AdviceFor("-5:10:0.1", "panel"), IsEmpty()) << "the panel method has no march";
}

}  // namespace
}  // namespace icarus
