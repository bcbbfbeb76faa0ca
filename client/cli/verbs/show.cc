#include <algorithm>

#include "client/cli/exit_codes.h"
#include "client/cli/selectors.h"
#include "client/cli/task_states.h"
#include "client/cli/verbs.h"
#include "client/output/job_text.h"
#include "client/output/json.h"
#include "common/model/limits.h"

namespace icarus::client {
namespace {

// As many tasks as asked for, by the page.
Result<ShowJobReply> Fetch(Client& client, ShowJob request, std::uint64_t limit) {
  request.limit = std::clamp<std::uint64_t>(limit, 1, limits::kPageTasks);
  ICARUS_ASSIGN(ShowJobReply reply, client.Ask<ShowJobReply>(request));
  while (reply.items.size() < limit && reply.next < reply.job.total && reply.next > request.first) {
    request.first = reply.next;
    request.limit = std::min<std::uint64_t>(limit - reply.items.size(), limits::kPageTasks);
    ICARUS_ASSIGN(ShowJobReply more, client.Ask<ShowJobReply>(request));
    std::move(more.items.begin(), more.items.end(), std::back_inserter(reply.items));
    reply.next = more.next;
  }
  if (limit == 0) reply.items.clear();
  return reply;
}

}  // namespace

Result<int> RunShow(Session& session) {
  const SelectOptions& select = session.options().select;
  ShowJob request;
  ICARUS_ASSIGN(request.states, ParseStates(select.states));
  ICARUS_TRY(ParseSelectors(select.selectors).map([](const auto&) {}));
  ICARUS_ASSIGN(Client * client, session.Broker());
  ICARUS_ASSIGN(const Selection selection, ResolveOne(*client, select.selectors));
  request.job = selection.job;
  request.first = selection.index ? *selection.index : select.after;
  ICARUS_ASSIGN(const ShowJobReply reply, Fetch(*client, request, selection.index ? 1 : select.limit));
  if (selection.index && (reply.items.empty() || reply.items.front().index != *selection.index)) {
    return Error::Make(ErrorCode::kNotFound, "there is no task " + FormatTask({selection.job, *selection.index}),
                       "task");
  }
  if (session.csv()) {
    Json items = Json::array();
    for (const TaskSummary& task : reply.items) items.push_back(TaskJson(selection.job, task));
    session.PrintDocument(items);
  } else if (!session.text()) {
    session.PrintJson(selection.index ? TaskJson(selection.job, reply.items.front()) : ShowJson(reply));
  } else if (session.quiet()) {
    for (const TaskSummary& task : reply.items) session.Print(FormatTask({selection.job, task.index}) + "\n");
  } else {
    session.Print(ShowText(reply, session.style()));
    if (selection.index) session.Print(AttemptsText(reply.items.front(), session.style()));
  }
  return kExitDone;
}

}  // namespace icarus::client
