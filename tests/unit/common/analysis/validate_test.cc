#include "common/analysis/validate.h"

#include <gmock/gmock.h>

#include <limits>

namespace icarus {
namespace {

using ::testing::HasSubstr;

// Nobody can write one, but a peer can send it.
TEST(CanonicaliseValue, RefusesWhatIsNoNumberOfTheDecimals) {
  Parameter parameter;
  parameter.name = "load";
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    for (const auto type : {Parameter::Type::kNumber, Parameter::Type::kInteger, Parameter::Type::kNumbers}) {
      parameter.type = type;
      const auto checked = CanonicaliseValue(parameter, "s", Value(bad));
      ASSERT_FALSE(checked) << bad;
      EXPECT_THAT(checked.error().message, HasSubstr("load is '" + FormatValue(Value(bad)) + "', but it must be"));
    }
  }
}

}  // namespace
}  // namespace icarus
