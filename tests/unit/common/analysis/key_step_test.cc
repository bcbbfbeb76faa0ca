#include "common/analysis/key_step.h"

#include <gmock/gmock.h>

#include <limits>

#include "common/base/text.h"
#include "tests/unit/common/analysis/generators.h"

namespace icarus {
namespace {

using ::testing::HasSubstr;

// --- the rounding

TEST(RoundToStep, IsTheNearestMultipleAsADecimalNumber) {
  EXPECT_EQ(RoundToStep(0.1 + 0.2, 0.1), 0.3);
  EXPECT_EQ(RoundToStep(0.7 * 3, 0.7), 2.1);
  EXPECT_EQ(RoundToStep(1'234'567, 1e4), 1'230'000);
  EXPECT_EQ(RoundToStep(-7.2, 2.5), -7.5);
  EXPECT_EQ(RoundToStep(3, 1e-9), 3);
  EXPECT_EQ(RoundToStep(1.0 / 3, 1e-3), 0.333);
}

TEST(RoundToStep, GoesAwayFromZeroFromTheMiddle) {
  EXPECT_EQ(RoundToStep(0.15, 0.1), 0.2) << "as decimals; 0.15 / 0.1 is below 1.5 in binary";
  EXPECT_EQ(RoundToStep(0.25, 0.1), 0.3);
  EXPECT_EQ(RoundToStep(-0.15, 0.1), -0.2);
  EXPECT_EQ(RoundToStep(0.05, 0.1), 0.1);
  EXPECT_EQ(RoundToStep(50, 100), 100);
}

TEST(RoundToStep, HasOneZero) {
  for (const double value : {-0.0, 0.0, -0.04, 0.04, -1e-300, -0.049999999}) {
    EXPECT_EQ(RoundToStep(value, 0.1), 0.0) << value;
    EXPECT_FALSE(std::signbit(RoundToStep(value, 0.1))) << value;
  }
}

TEST(RoundToStep, LeavesAloneWhatIsFarLargerThanTheStep) {
  const double large = 1.7976931348623157e308;
  EXPECT_EQ(RoundToStep(large, 1), large);
  EXPECT_EQ(RoundToStep(large, 5e-324), large);
  EXPECT_EQ(RoundToStep(-large, 1e308), -large) << "the nearest multiple is no number any more";
  EXPECT_EQ(RoundToStep(5e-324, 5e-324), 5e-324);
  EXPECT_EQ(RoundToStep(1.1e15 + 0.125, 1), 1.1e15 + 0.125);
}

double AnyNumber() {
  if (AnyBool()) return AnyDecimal().Number();
  return *rc::gen::suchThat<double>([](double number) { return std::isfinite(number); });
}

double AnyStep() {
  if (AnyBool()) return Decimal{Between(1, 9999), Between(-8, 4)}.Number();
  return *rc::gen::suchThat<double>([](double number) { return std::isfinite(number) && number > 0; });
}

RC_GTEST_PROP(RoundToStepProperty, IsNearMonotonicAndDoneOnce, ()) {
  const double step = AnyStep();
  double low = AnyNumber(), high = AnyBool() ? low + step * Below(3) / 2 : AnyNumber();
  if (low > high) std::swap(low, high);
  const double rounded = RoundToStep(low, step);
  RC_LOG() << low << " to " << step << " is " << rounded;
  RC_ASSERT(std::abs(rounded - low) <= step / 2 * (1 + 1e-9) + std::abs(low) * 1e-15);
  RC_ASSERT(RoundToStep(rounded, step) == rounded);
  RC_ASSERT(RoundToStep(-low, step) == -rounded);
  RC_ASSERT(rounded <= RoundToStep(high, step));
}

RC_GTEST_PROP(RoundToStepProperty, FindsTheMultipleHoweverItWasReckoned, ()) {
  const Decimal step{Between(1, 9999), Between(-8, 4)};
  const int count = Between(-9999, 9999);
  const double multiple = Decimal{step.mantissa * count, step.exponent}.Number();
  double sum = 0;
  for (int i = 0; i < std::abs(count) % 100; ++i) sum += step.Number();
  const Decimal of_sum{step.mantissa * (std::abs(count) % 100), step.exponent};
  RC_ASSERT(RoundToStep(count * step.Number(), step.Number()) == multiple);
  RC_ASSERT(RoundToStep(sum, step.Number()) == of_sum.Number());
}

RC_GTEST_PROP(RoundToStepProperty, TheMiddleIsThatOfTheDecimals, ()) {
  const Decimal step{2 * Between(1, 999), Between(-8, 4)};
  const int count = Below(999);
  const double middle = Decimal{step.mantissa * count + step.mantissa / 2, step.exponent}.Number();
  const double above = Decimal{step.mantissa * (count + 1), step.exponent}.Number();
  RC_ASSERT(RoundToStep(middle, step.Number()) == above);
  RC_ASSERT(RoundToStep(std::nextafter(middle, 0), step.Number()) < above);
}

// --- in the key

std::string WithStep(const std::string& parameter, const std::string& step) {
  std::string text = kProbe;
  const std::string table = "[parameters." + parameter + "]\n";
  text.insert(text.find(table) + table.size(), "key_step = " + step + "\n");
  return text;
}

TEST(KeyStep, ShowsTheRoundedValuesAndTheStepInTheForm) {
  const Probe probe(WithStep("load", "0.1"));
  EXPECT_EQ(probe.Form({{"load", "0.34"}}),
            R"({"analysis":"probe","key_step":{"load":0.1},"params":{"angles":[0,1,2],"count":7,"exact":true,)"
            R"("load":0.3,"method":"plain","speed":10},"schema":3,"solver":"fine@1.0+abcd","target":"naca2412"})");
}

TEST(KeyStep, RoundsAListItemByItemAndKeepsItsLength) {
  const Probe probe(WithStep("angles", "0.5"));
  EXPECT_THAT(probe.Form({{"angles", "0.1,0.2,1.26"}}), HasSubstr(R"("angles":[0,0,1.5])"));
  EXPECT_EQ(probe.Form({{"angles", "0.1,0.2,1.26"}}), probe.Form({{"angles", "1.5,0,-0.1"}}));
  EXPECT_NE(probe.Form({{"angles", "0.1,0.2"}}), probe.Form({{"angles", "0.1"}})) << "it has a row more";
}

TEST(KeyStep, LeavesWhatTheSolverGetsAlone) {
  const Probe probe(WithStep("load", "0.1"));
  const ValueMap params = *TaskParams(probe.manifest(), {{"load", Value(0.34)}, {"speed", Value(1.0)}});
  EXPECT_EQ(params.at("load"), Value(0.34));
  EXPECT_EQ(RoundedParams(probe.manifest(), params), (ValueMap{{"load", Value(0.3)}}));
}

TEST(KeyStep, OfAParameterWithoutMeaningIsNotInTheForm) {
  const Probe probe(WithStep("speed", "0.1"));
  EXPECT_EQ(probe.Form({{"exact", "false"}}), Probe().Form({{"exact", "false"}}));
}

RC_GTEST_PROP(KeyStepProperty, ValuesThatRoundToOneMultipleShareAKeyAndOthersDoNot, ()) {
  const Decimal step{Between(1, 99), Between(-6, 2)};
  const int count = Between(-50, 50);
  const Probe probe(WithStep("load", step.Text()));
  // Off the multiple by less than half a step, in hundredths of one.
  const auto load = [&](int steps) {
    return Decimal{step.mantissa * (100 * steps + Between(-49, 49)), step.exponent - 2};
  };
  const std::string form = probe.Form({{"load", AnySpelling(load(count))}});
  RC_ASSERT(form == probe.Form({{"load", AnySpelling(load(count))}}));
  RC_ASSERT(form == probe.Form({{"load", Decimal{step.mantissa * count, step.exponent}.Text()}}));
  RC_ASSERT(form != probe.Form({{"load", AnySpelling(load(count + 1))}}));
  RC_ASSERT(form != probe.Form({{"load", AnySpelling(load(count - 1 - Below(40)))}}));
}

RC_GTEST_PROP(KeyStepProperty, AnotherStepIsAnotherKeyAndSoIsNone, ()) {
  const Decimal one{Between(1, 99), Between(-4, 2)}, other{Between(1, 99), Between(-4, 2)};
  const std::string load = AnySpelling(AnyDecimal());
  const std::string form = Probe(WithStep("load", one.Text())).Form({{"load", load}});
  const bool same = one.Number() == other.Number();
  RC_ASSERT((form == Probe(WithStep("load", other.Text())).Form({{"load", load}})) == same);
  RC_ASSERT(form == Probe(WithStep("load", FormatNumber(one.Number()))).Form({{"load", load}}));
  RC_ASSERT(form != Probe().Form({{"load", load}}));
}

RC_GTEST_PROP(KeyStepProperty, OtherParametersCountAsBefore, ()) {
  static const Probe probe(WithStep("load", "10"));
  const Decimal one = AnyDecimal(), other = AnyDecimal();
  RC_PRE(one.Number() != other.Number());
  RC_ASSERT(probe.Form({{"speed", one.Text()}}) != probe.Form({{"speed", other.Text()}}));
}

}  // namespace
}  // namespace icarus
