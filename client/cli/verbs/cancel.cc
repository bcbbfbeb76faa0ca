#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/task_groups.h"
#include "client/cli/verbs.h"

namespace icarus::client {

Result<int> RunCancel(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<Selection> selections, ResolveSelections(*client, select.selectors));
  CancelReply all;
  for (const TaskGroup& group : GroupByJob(selections)) {
    ICARUS_ASSIGN(const CancelReply reply, client->Ask<CancelReply>(Cancel{group.job, group.tasks, select.reason}));
    all.cancelled += reply.cancelled;
    all.already_final += reply.already_final;
  }
  if (all.cancelled == 0 && all.already_final > 0) {
    return Error::Make(ErrorCode::kRefused, "nothing to cancel: what is named has ended already");
  }
  if (!session.text()) {
    session.PrintDocument({{"cancelled", all.cancelled}, {"already_final", all.already_final}});
  }
  std::string line = "cancelled " + std::to_string(all.cancelled) + (all.cancelled == 1 ? " task" : " tasks");
  if (all.already_final > 0) line += ", " + std::to_string(all.already_final) + " had ended already";
  session.Note(line);
  return kExitDone;
}

}  // namespace icarus::client
