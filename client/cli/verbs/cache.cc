#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/output/json.h"
#include "client/output/service_text.h"

namespace icarus::client {

Result<int> RunCache(Session& session) {
  const std::string& action = session.options().action.action;
  const bool clear = action == "clear";
  if (!clear && !action.empty() && action != "stats") {
    return UsageError("'" + action + "' is no action of `icarus cache`; there are stats and clear", "action");
  }
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const CacheReply reply, client->Ask<CacheReply>(CacheQuery{clear}));
  if (clear) {
    if (!session.text()) session.PrintDocument({{"cleared", reply.cleared}});
    session.Note("removed " + std::to_string(reply.cleared) + (reply.cleared == 1 ? " entry" : " entries"));
  } else if (session.text()) {
    if (!session.quiet()) session.Print(CacheText(reply));
  } else {
    session.PrintDocument(CacheJson(reply));
  }
  return kExitDone;
}

}  // namespace icarus::client
