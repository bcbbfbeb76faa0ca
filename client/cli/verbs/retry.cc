#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/task_groups.h"
#include "client/cli/verbs.h"
#include "common/base/random.h"

namespace icarus::client {

Result<int> RunRetry(Session& session) {
  const SelectOptions& select = session.options().select;
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const std::vector<Selection> selections, ResolveSelections(*client, select.selectors));
  std::uint64_t retried = 0;
  for (const TaskGroup& group : GroupByJob(selections)) {
    ICARUS_ASSIGN(const RetryReply reply, client->Ask<RetryReply>(Retry{group.job, group.tasks, RandomHex(16)}));
    retried += reply.retried;
  }
  if (!session.text()) session.PrintDocument({{"retried", retried}});
  session.Note(retried == 0 ? "nothing to retry: everything named has completed or has not ended"
                            : "queued again: " + std::to_string(retried) + (retried == 1 ? " task" : " tasks"));
  return kExitDone;
}

}  // namespace icarus::client
