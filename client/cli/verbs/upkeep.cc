#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/output/json.h"
#include "client/output/service_text.h"

namespace icarus::client {
namespace {

Result<int> Run(Session& session, bool emergency, std::string (*text)(const UpkeepReply&),
                Json (*json)(const UpkeepReply&)) {
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const UpkeepReply reply, client->Ask<UpkeepReply>(Upkeep{emergency}));
  if (!session.text()) {
    session.PrintDocument(json(reply));
  } else if (!session.quiet()) {
    session.Print(text(reply));
  }
  return kExitDone;
}

}  // namespace

Result<int> RunMaintenance(Session& session) { return Run(session, false, MaintenanceText, MaintenanceJson); }

Result<int> RunEmergencyCleanup(Session& session) { return Run(session, true, EmergencyText, EmergencyJson); }

}  // namespace icarus::client
