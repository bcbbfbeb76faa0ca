// The time of an XFOIL polar of 23 angles through an open client: from the submission until its rows are here.
//
//   icarus-bench-polar [--count N] [--refresh 1]
//
// --refresh 1: computed anew each time; without, every one must come from the cache.
// Prints one JSON object: {"seconds":[…],"rows":…}. Uses the broker of $ICARUS_HOME.
#include "bench/open_client.h"
#include "bench/program.h"
#include "common/analysis/catalogue.h"
#include "common/analysis/validate.h"
#include "common/model/sweep.h"

namespace icarus::bench {
namespace {

Result<JobSpec> PolarSpec(bool refresh) {
  JobSpec spec;
  spec.analysis = "airfoil_polar";
  spec.solver = "xfoil";
  spec.sweep.targets = {Target{"naca2412", ""}};
  spec.sweep.base["reynolds"] = Value(1e6);
  ICARUS_ASSIGN(spec.sweep.base["aoa"], ParseValue("-8:14:1"));
  if (refresh) spec.cache = CachePolicy::kRefresh;
  ICARUS_TRY(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  return spec;
}

// The number of its rows.
Result<std::size_t> RunPolar(client::Client& client, const JobSpec& spec) {
  ICARUS_ASSIGN(const JobSummary job, RunJob(client, spec));
  if ((job.cached == 1) == spec.MustBeFresh()) {
    return Error::Make(ErrorCode::kInternal, job.cached == 1 ? "it was not computed" : "it is not in the cache");
  }
  std::size_t rows = 0;
  ICARUS_TRY(client.FetchResults(job.job, 0, 1, [&rows](const ResultItem&, const ResultBody& body) -> Status {
    rows = body.rows.size();
    return {};
  }));
  return rows;
}

Status Measure(const Options& options) {
  ICARUS_ASSIGN(auto client, OpenClient());
  ICARUS_ASSIGN(const JobSpec spec, PolarSpec(options.at("--refresh") != 0));
  std::string seconds;
  std::size_t rows = 0;
  for (std::int64_t i = 0; i < options.at("--count"); ++i) {
    const double begin = Now();
    ICARUS_ASSIGN(rows, RunPolar(*client, spec));
    seconds += (i == 0 ? "" : ",") + std::to_string(Now() - begin);
  }
  std::printf("{\"seconds\":[%s],\"rows\":%zu}\n", seconds.c_str(), rows);
  return {};
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  return icarus::bench::RunProgram("icarus-bench-polar", argc, argv, {{"--count", 1}, {"--refresh", 0}},
                                   icarus::bench::Measure);
}
