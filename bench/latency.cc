// The time of one durable task through an open client: from the submission to the update that says it has ended.
//
//   icarus-bench-latency [--count N] [--cached 1]
//
// --cached 1: the same cacheable no-op every time, so that all but the first are answered from the cache.
// Prints one JSON object: {"p50_us":…,"p99_us":…}. Uses the broker of $ICARUS_HOME.
#include "bench/open_client.h"
#include "bench/program.h"
#include "common/analysis/catalogue.h"
#include "common/analysis/validate.h"

namespace icarus::bench {
namespace {

constexpr int kWarmUp = 50;

Result<JobSpec> NoopSpec(bool cached) {
  JobSpec spec;
  spec.analysis = "noop";
  if (cached) spec.cache = CachePolicy::kForce;
  ICARUS_TRY(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  return spec;
}

Status Measure(const Options& options) {
  ICARUS_ASSIGN(auto client, OpenClient());
  ICARUS_ASSIGN(const JobSpec spec, NoopSpec(options.at("--cached") != 0));
  for (int i = 0; i < kWarmUp; ++i) ICARUS_TRY(RunJob(*client, spec));
  Times times;
  for (std::int64_t i = 0; i < options.at("--count"); ++i) {
    const double begin = Now();
    ICARUS_TRY(RunJob(*client, spec));
    times.Add(Now() - begin);
  }
  std::printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", times.Micros(0.5), times.Micros(0.99));
  return {};
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  return icarus::bench::RunProgram("icarus-bench-latency", argc, argv, {{"--count", 1000}, {"--cached", 0}},
                                   icarus::bench::Measure);
}
