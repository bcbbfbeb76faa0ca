#include "client/cli/verbs.h"

#include <array>
#include <string_view>

namespace icarus::client {
namespace {

struct Verb {
  std::string_view name;
  VerbFunction run;
};

constexpr std::array<Verb, 24> kVerbs = {{
    {"up", RunUp},
    {"down", RunDown},
    {"submit", RunSubmit},
    {"run", RunRun},
    {"list", RunList},
    {"show", RunShow},
    {"explain", RunExplain},
    {"wait", RunWait},
    {"watch", RunWatch},
    {"result", RunResult},
    {"get", RunGet},
    {"logs", RunLogs},
    {"cancel", RunCancel},
    {"retry", RunRetry},
    {"workers", RunWorkers},
    {"analyses", RunAnalyses},
    {"cache", RunCache},
    {"config", RunConfig},
    {"events", RunEvents},
    {"doctor", RunDoctor},
    {"diff", RunDiff},
    {"estimate", RunEstimate},
    {"maintenance", RunMaintenance},
    {"emergency-cleanup", RunEmergencyCleanup},
}};

}  // namespace

VerbFunction FindVerb(const std::string& name) {
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return verb.run;
  }
  return nullptr;
}

}  // namespace icarus::client
