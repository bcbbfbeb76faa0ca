#include "client/cli/exit_codes.h"
#include "client/cli/submission.h"
#include "client/cli/verbs.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

constexpr std::uint32_t kFormsShown = 20;

// Seconds until all that is to be computed has been, when each takes so long; null when that is not known.
Json SecondsJson(const EstimateReply& reply, std::uint64_t to_compute, std::optional<double> each_s) {
  if (to_compute == 0) return 0.0;
  if (!each_s || reply.slots == 0) return nullptr;
  const std::uint64_t slots = static_cast<std::uint64_t>(reply.slots);
  return NumberJson(static_cast<double>((to_compute + slots - 1) / slots) * *each_s);
}

Json KeysJson(const EstimateReply& reply) {
  Json keys = Json::array();
  for (const std::string& form : reply.forms) {
    keys.push_back({{"task", keys.size()}, {"key", HashBytes(form).Hex()}, {"form", form}});
  }
  return keys;
}

std::string Words(const EstimateReply& reply, std::uint64_t to_compute, const Json& seconds) {
  std::string text = Counted(reply.tasks, "task") + ", " + std::to_string(reply.hits) + " cached, " +
                     std::to_string(to_compute) + " to compute";
  if (reply.probed < reply.tasks) text += " (the first " + std::to_string(reply.probed) + " were looked up)";
  if (to_compute == 0) return text;
  if (!seconds.is_object()) {
    return text + (reply.slots == 0 ? "; no worker could run it now"
                                    : "; how long it takes is not known: none of its "
                                      "kind has run yet");
  }
  return text + "; about " + FormatDuration(seconds["p50"].get<double>()) + ", at most " +
         FormatDuration(seconds["p95"].get<double>()) + ", with all " + std::to_string(reply.slots) + " slots";
}

}  // namespace

Result<int> RunEstimate(Session& session) {
  const SubmitOptions& options = session.options().submit;
  ICARUS_ASSIGN(JobRequest request, BuildWholeRequest(session, options, false));
  JobSpec& spec = request.spec;
  const int cpus = spec.resources.cpus;
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const EstimateReply reply,
                client->Ask<EstimateReply>(Estimate{std::move(spec), options.explain_key ? kFormsShown : 0}));
  const std::uint64_t to_compute = reply.tasks - reply.hits;
  Json seconds = nullptr;
  const Json typical = SecondsJson(reply, to_compute, reply.typical_s);
  if (!typical.is_null()) seconds = {{"p50", typical}, {"p95", SecondsJson(reply, to_compute, reply.long_s)}};
  const bool known = reply.typical_s || to_compute == 0;
  const double core_s = static_cast<double>(to_compute) * reply.typical_s.value_or(0) * cpus;
  if (!session.text()) {
    Json document = {{"tasks", reply.tasks},
                     {"hits", reply.hits},
                     {"to_compute", to_compute},
                     {"seconds", seconds},
                     {"core_hours", known ? NumberJson(core_s / 3600) : Json()}};
    if (options.explain_key) document["keys"] = KeysJson(reply);
    session.PrintDocument(document);
    return kExitDone;
  }
  for (const std::string& form : reply.forms) session.Print(HashBytes(form).Hex() + " " + form + "\n");
  if (!session.quiet()) session.Print(Words(reply, to_compute, seconds) + "\n");
  return kExitDone;
}

}  // namespace icarus::client
