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
  session.text() ? session.Print(MaintenanceText(reply)) : session.PrintDocument(MaintenanceJson(reply));
  return kExitDone;
}

Result<int> RunEmergencyCleanup(Session& session) {
  ICARUS_ASSIGN(const UpkeepReply reply, Ask(session, true));
  session.text() ? session.Print(EmergencyText(reply)) : session.PrintDocument(EmergencyJson(reply));
  return kExitDone;
}

}  // namespace icarus::client
