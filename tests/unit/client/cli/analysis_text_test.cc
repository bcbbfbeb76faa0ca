#include "client/cli/analysis_text.h"

#include <gmock/gmock.h>

#include "common/analysis/catalogue.h"

namespace icarus::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(AnalysisText, ShowsWhatTheKeyRoundsToWhereItDoes) {
  Manifest manifest = *Catalogue::BuiltIn().Find("airfoil_polar");
  EXPECT_THAT(AnalysisText(manifest, {}, {}), Not(HasSubstr("key step")));
  EXPECT_FALSE(AnalysisJson(manifest, {})["parameters"][0].contains("key_step"));
  manifest.parameters[0].key_step = 0.025;
  EXPECT_THAT(AnalysisText(manifest, {}, {}), HasSubstr("key step"));
  EXPECT_THAT(AnalysisText(manifest, {}, {}), HasSubstr("0.025"));
  EXPECT_EQ(AnalysisJson(manifest, {})["parameters"][0]["key_step"], 0.025);
  EXPECT_FALSE(AnalysisJson(manifest, {})["parameters"][1].contains("key_step"));
}

}  // namespace
}  // namespace icarus::client
