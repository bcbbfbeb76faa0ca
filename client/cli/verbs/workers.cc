#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/output/json.h"
#include "client/output/service_text.h"

namespace icarus::client {
namespace {

Result<ListWorkers> BuildRequest(const ActionOptions& action) {
  ListWorkers request;
  if (action.action.empty()) return request;
  const bool drain = action.action == "drain";
  if (!drain && action.action != "resume") {
    return UsageError("'" + action.action + "' is no action of `icarus workers`; there are drain and resume", "action");
  }
  if (action.key.empty()) return UsageError("name the worker: icarus workers " + action.action + " NAME", "name");
  (drain ? request.drain : request.resume) = action.key;
  return request;
}

}  // namespace

Result<int> RunWorkers(Session& session) {
  const ActionOptions& action = session.options().action;
  ICARUS_ASSIGN(ListWorkers request, BuildRequest(action));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const ListWorkersReply reply, client->Ask<ListWorkersReply>(std::move(request)));
  if (!session.text()) {
    session.PrintDocument(WorkersJson(reply.workers));
  } else if (session.quiet()) {
    for (const WorkerInfo& worker : reply.workers) session.Print(worker.name + "\n");
  } else {
    session.Print(WorkerTableText(reply.workers, session.style()));
  }
  return kExitDone;
}

}  // namespace icarus::client
