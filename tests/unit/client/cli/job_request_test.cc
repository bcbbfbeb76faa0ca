#include "client/cli/job_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/limits.h"
#include "tests/unit/client/temp_directory.h"

namespace icarus::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SubmitOptions Polar() {
  SubmitOptions options;
  options.analysis = "airfoil_polar";
  options.targets = {"NACA 0012"};
  options.parameters = {"reynolds=1e6", "aoa=0:4:1"};
  return options;
}

JobSpec Built(const SubmitOptions& options) {
  auto request = BuildJobRequest(Catalogue::BuiltIn(), options);
  if (!request) {
    ADD_FAILURE() << request.error().message;
    return {};
  }
  return request->spec;
}

Error Refused(const SubmitOptions& options) {
  const auto request = BuildJobRequest(Catalogue::BuiltIn(), options);
  if (request) ADD_FAILURE() << "was accepted";
  return request ? Error{} : request.error();
}

std::vector<std::string> Points(const JobSpec& spec, const std::vector<std::string>& names) {
  std::vector<std::string> points;
  for (std::uint32_t i = 0; i < *spec.sweep.Count(); ++i) {
    const TaskPoint point = spec.sweep.At(i);
    std::string text = spec.sweep.targets.empty() ? "" : spec.sweep.targets[point.target].name;
    for (const std::string& name : names) text += " " + FormatValue(point.params.at(name));
    points.push_back(text);
  }
  return points;
}

TEST(JobRequest, TheSpecificationIsCanonical) {
  const JobSpec spec = Built(Polar());
  EXPECT_EQ(spec.solver, "xfoil");
  EXPECT_EQ(spec.timeout_ms, 600'000);
  EXPECT_EQ(spec.retries, 2);
  EXPECT_THAT(Points(spec, {"reynolds", "mach"}), ElementsAre("naca0012 1000000 0"));
}

TEST(JobRequest, OptionsAreTakenOver) {
  SubmitOptions options = Polar();
  options.solver = "panel@1+2";
  options.priority = 9;
  options.timeout_ms = 0;
  options.retries = 0;
  options.cpus = 2;
  options.memory_bytes = 100;
  options.resources = {"licence=2"};
  options.require = {"arch=x86"};
  options.tags = {"study=x"};
  options.name = "n";
  options.refresh = true;
  options.max_fails = 3;
  options.strict = true;
  const JobSpec spec = Built(options);
  EXPECT_EQ(spec.solver, "panel");
  EXPECT_EQ(spec.solver_identity, "1+2");
  EXPECT_EQ(spec.priority, 9);
  EXPECT_EQ(spec.timeout_ms, 0);
  EXPECT_EQ(spec.retries, 0);
  EXPECT_EQ(spec.resources.cpus, 2);
  EXPECT_EQ(spec.resources.memory_bytes, 100);
  EXPECT_EQ(spec.resources.named.at("licence"), 2);
  EXPECT_EQ(spec.require.at("arch"), "x86");
  EXPECT_EQ(spec.tags.at("study"), "x");
  EXPECT_EQ(spec.cache, CachePolicy::kRefresh);
  EXPECT_EQ(spec.max_fails, 3);
  EXPECT_TRUE(spec.strict);
}

TEST(JobRequest, TargetsAreOutermostAndTheLastAxisFastest) {
  SubmitOptions options = Polar();
  options.targets = {"naca0012", "naca2412"};
  options.parameters = {"aoa=0"};
  options.axes = {{false, "reynolds=1e5,2e5"}, {true, "mach=0,0.1,ncrit=5,6"}};
  EXPECT_THAT(
      Points(Built(options), {"reynolds", "mach", "ncrit"}),
      ElementsAre("naca0012 100000 0 5", "naca0012 100000 0.1 6", "naca0012 200000 0 5", "naca0012 200000 0.1 6",
                  "naca2412 100000 0 5", "naca2412 100000 0.1 6", "naca2412 200000 0 5", "naca2412 200000 0.1 6"));
}

TEST(JobRequest, RowsNameTheirTargets) {
  const TempDirectory directory;
  SubmitOptions options = Polar();
  options.targets.clear();
  options.parameters = {"aoa=0"};
  options.from =
      directory.Write("rows.csv", "target,reynolds,mach\nnaca2412,1e6,0.1\nnaca0012,2e6,\nnaca2412,3e6,0.2\n");
  EXPECT_THAT(Points(Built(options), {"reynolds", "mach"}),
              ElementsAre("naca2412 1000000 0.1", "naca0012 2000000 0", "naca2412 3000000 0.2"));
  options.targets = {"naca0012"};
  EXPECT_EQ(Refused(options).field, "target");
}

TEST(JobRequest, AListOfTargetsHasOneALine) {
  const TempDirectory directory;
  SubmitOptions options = Polar();
  options.targets = {"naca0012"};
  options.targets_file = directory.Write("list", "# two more\n naca2412 \r\n\nnaca4412\n");
  EXPECT_THAT(Points(Built(options), {}), ElementsAre("naca0012", "naca2412", "naca4412"));
}

TEST(JobRequest, AFileIsSentByContent) {
  const TempDirectory directory;
  std::string points;
  for (int i = 0; i <= 20; ++i) {
    const double x = 1 - i / 20.0;
    points += std::to_string(x) + " " + std::to_string(0.1 * x * (1 - x)) + "\n";
  }
  for (int i = 1; i <= 20; ++i) {
    const double x = i / 20.0;
    points += std::to_string(x) + " " + std::to_string(-0.1 * x * (1 - x)) + "\n";
  }
  SubmitOptions options = Polar();
  options.targets = {directory.Write("foil.dat", points)};
  const JobSpec spec = Built(options);
  ASSERT_EQ(spec.sweep.targets.size(), 1U);
  EXPECT_EQ(spec.sweep.targets[0].name, "foil.dat");
  EXPECT_FALSE(spec.sweep.targets[0].content.empty());
}

struct BadRequest {
  std::string what;
  std::function<void(SubmitOptions&)> spoil;
  std::string says;
  std::string field;
};

TEST(JobRequest, WrongInputIsNamed) {
  const std::vector<BadRequest> cases = {
      {"analysis", [](auto& o) { o.analysis = "airfoil_polr"; }, "airfoil_polar", ""},
      {"solver", [](auto& o) { o.solver = "xfoyl"; }, "xfoyl", "solver"},
      {"parameter", [](auto& o) { o.parameters.push_back("renolds=1"); }, "reynolds", "renolds"},
      {"range", [](auto& o) { o.parameters[1] = "aoa=-4:0.5:12"; }, "first:last:step", "aoa"},
      {"no name", [](auto& o) { o.parameters.push_back("7"); }, "'7'", "p"},
      {"twice", [](auto& o) { o.parameters.push_back("aoa=1"); }, "twice", "aoa"},
      {"both",
       [](auto& o) {
         o.axes = {{false, "reynolds=1e5,2e5"}};
       },
       "as a parameter and as an axis", "reynolds"},
      {"uneven zip",
       [](auto& o) {
         o.axes = {{true, "mach=0,0.1,ncrit=5"}};
       },
       "equally many", "ncrit"},
      {"empty axis",
       [](auto& o) {
         o.axes = {{false, "mach="}};
       },
       "mach", "mach"},
      {"no file", [](auto& o) { o.targets = {"./nowhere.dat"}; }, "nowhere.dat", "target"},
      {"directory", [](auto& o) { o.targets = {"./"}; }, "./", "target"},
      {"no rows", [](auto& o) { o.from = "/no/such/rows.csv"; }, "/no/such/rows.csv", "from"},
      {"command", [](auto& o) { o.command = {"true"}; }, "takes no command line", "command"},
      {"input", [](auto& o) { o.outputs = {"x"}; }, "belong to the analysis 'command'", "command"},
      {"resource", [](auto& o) { o.resources = {"licence=many"}; }, "licence=many", "resource"},
  };
  for (const BadRequest& one : cases) {
    SubmitOptions options = Polar();
    one.spoil(options);
    const Error error = Refused(options);
    EXPECT_EQ(error.code, ErrorCode::kUsage) << one.what;
    EXPECT_THAT(error.message, HasSubstr(one.says)) << one.what;
    if (!one.field.empty()) {
      EXPECT_EQ(error.field, one.field) << one.what;
    }
  }
}

TEST(JobRequest, ACommandMayBeSweptOverItsOwnAxes) {
  SubmitOptions options;
  options.analysis = "command";
  options.command = {"echo", "{x}", "{{b}}"};
  options.axes = {{false, "x=1,2"}};
  const JobSpec spec = Built(options);
  EXPECT_EQ(*spec.sweep.Count(), 2U);
  EXPECT_EQ(spec.timeout_ms, 0);
  EXPECT_EQ(spec.retries, 0);
  options.command = {"echo", "{y}"};
  EXPECT_THAT(Refused(options).message, HasSubstr("{y}"));
}

}  // namespace
}  // namespace icarus::client
