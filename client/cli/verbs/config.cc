#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/output/json.h"
#include "client/output/service_text.h"

namespace icarus::client {
namespace {

Result<Config> BuildRequest(const ActionOptions& options) {
  const std::string& action = options.action;
  Config request;
  if (action.empty() || action == "list") {
    request.verb = ConfigVerb::kList;
  } else if (action == "get") {
    request.verb = ConfigVerb::kGet;
  } else if (action == "set") {
    request.verb = ConfigVerb::kSet;
  } else if (action == "unset") {
    request.verb = ConfigVerb::kUnset;
  } else {
    return UsageError("'" + action + "' is no action of `icarus config`; there are list, get, set and unset", "action");
  }
  request.key = options.key;
  request.value = options.value;
  const bool needs_key = request.verb != ConfigVerb::kList;
  if (needs_key && request.key.empty()) return UsageError("name the setting: icarus config " + action + " KEY", "key");
  return request;
}

}  // namespace

Result<int> RunConfig(Session& session) {
  const ActionOptions& options = session.options().action;
  ICARUS_ASSIGN(Config request, BuildRequest(options));
  const ConfigVerb verb = request.verb;
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const ConfigReply reply, client->Ask<ConfigReply>(std::move(request)));
  const bool single = verb != ConfigVerb::kList && reply.entries.size() == 1;
  if (!session.text()) {
    session.PrintDocument(single ? ConfigEntryJson(reply.entries.front()) : ConfigJson(reply.entries));
  } else if (verb == ConfigVerb::kList && session.quiet()) {
    for (const ConfigEntry& entry : reply.entries) session.Print(entry.key + "\n");
  } else if (verb == ConfigVerb::kList) {
    session.Print(ConfigText(reply.entries, options.origin, session.style()));
  } else if (verb == ConfigVerb::kGet && single) {
    session.Print(reply.entries.front().value + "\n");
  } else {
    for (const ConfigEntry& entry : reply.entries)
      session.Note(entry.key + " = " + entry.value + " (" + entry.origin + ")");
  }
  return kExitDone;
}

}  // namespace icarus::client
