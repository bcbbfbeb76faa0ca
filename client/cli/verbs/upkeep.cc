#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/output/json.h"
#include "client/output/service_text.h"

namespace icarus::client {
namespace {

Result<UpkeepReply> Ask(Session& session, bool emergency) {
  ICARUS_ASSIGN(Client * client, session.Broker());
  return client->Ask<UpkeepReply>(Upkeep{emergency});
}

}  // namespace

Result<int> RunMaintenance(Session& session) {
  ICARUS_ASSIGN(const UpkeepReply reply, Ask(session, false));
  if (!session.text()) {
    session.PrintDocument(MaintenanceJson(reply));
  } else if (!session.quiet()) {
    session.Print(MaintenanceText(reply));
  }
  return kExitDone;
}

Result<int> RunEmergencyCleanup(Session& session) {
  ICARUS_ASSIGN(const UpkeepReply reply, Ask(session, true));
  if (!session.text()) {
    session.PrintDocument(EmergencyJson(reply));
  } else if (!session.quiet()) {
    session.Print(EmergencyText(reply));
  }
  return kExitDone;
}

}  // namespace icarus::client
