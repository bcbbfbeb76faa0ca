#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/verbs.h"
#include "common/model/ids.h"

namespace icarus::client {

// Of a job without an index its first task is meant: the others mostly share its fate.
Result<int> RunExplain(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const Selection selection, ResolveOne(*client, select.selectors));
  const TaskRef task{selection.job, selection.index.value_or(0)};
  ICARUS_ASSIGN(const ExplainReply reply, client->Ask<ExplainReply>(Explain{task.job, task.index}));
  if (session.text()) {
    session.Print(FormatTask(task) + " is " + std::string(StateName(reply.state)) + ": " + reply.text + "\n");
  } else {
    session.PrintDocument({{"task", FormatTask(task)},
                           {"state", StateName(reply.state)},
                           {"kind", reply.kind},
                           {"explanation", reply.text}});
  }
  return kExitDone;
}

}  // namespace icarus::client
