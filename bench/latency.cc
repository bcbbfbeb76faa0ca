// The time of one durable task through an open client: from the submission to the update that says it has ended.
//
//   icarus-bench-latency [--count N] [--cached 1]
//
// --cached 1: the same cacheable no-op every time, so that all but the first are answered from the cache.
// Prints one JSON object: {"p50_us":…,"p99_us":…}. Uses the broker of $ICARUS_HOME.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "client/lib/client.h"
#include "common/analysis/catalogue.h"
#include "common/analysis/validate.h"
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/config/environment.h"

namespace icarus::bench {
namespace {

constexpr int kWarmUp = 50;

struct Options {
  std::int64_t count = 1000;
  bool cached = false;
};

Result<Options> ReadOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto number = i + 1 < argc ? ParseInteger(argv[i + 1]) : std::nullopt;
    if (!number || *number <= 0) return UsageError(std::string(name) + " needs a number above 0");
    if (name == "--count") {
      options.count = *number;
    } else if (name == "--cached") {
      options.cached = true;
    } else {
      return UsageError("unknown option " + std::string(name));
    }
  }
  return options;
}

Result<JobSpec> NoopSpec(bool cached) {
  JobSpec spec;
  spec.analysis = "noop";
  if (cached) spec.cache = CachePolicy::kForce;
  ICARUS_TRY(CanonicaliseSpec(Catalogue::BuiltIn(), spec));
  return spec;
}

Result<double> TimeOne(client::Client& client, const JobSpec& spec) {
  const auto begin = std::chrono::steady_clock::now();
  ICARUS_ASSIGN(SubmitReply reply, client.Ask<SubmitReply>(Submit{RandomHex(16), spec}));
  ICARUS_ASSIGN(auto ended, client.Wait({reply.job}));
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  if (ended.jobs.empty() || ended.jobs.front().state != TaskState::kCompleted) {
    return Error::Make(ErrorCode::kInternal, "a no-op did not complete");
  }
  return took.count();
}

Status Run(const Options& options) {
  ICARUS_ASSIGN(Home home, LocateHome("", ProcessEnvironment()));
  ICARUS_ASSIGN(auto client, client::Client::Connect({.home = home, .program = "icarus-bench"}));
  ICARUS_ASSIGN(JobSpec spec, NoopSpec(options.cached));
  for (int i = 0; i < kWarmUp; ++i) ICARUS_TRY(TimeOne(*client, spec));
  std::vector<double> micros;
  for (std::int64_t i = 0; i < options.count; ++i) {
    ICARUS_ASSIGN(const double one, TimeOne(*client, spec));
    micros.push_back(one);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
  return {};
}

}  // namespace
}  // namespace icarus::bench

int main(int argc, char** argv) {
  const auto options = icarus::bench::ReadOptions(argc, argv);
  if (!options) {
    std::fprintf(stderr, "icarus-bench-latency: %s\n", options.error().message.c_str());
    return 2;
  }
  const icarus::Status done = icarus::bench::Run(*options);
  if (!done) {
    std::fprintf(stderr, "icarus-bench-latency: %s\n", done.error().message.c_str());
    return 1;
  }
  return 0;
}
