#include <cstdio>

#include "client/cli/exit_codes.h"
#include "client/cli/verbs.h"
#include "client/output/json.h"

namespace icarus::client {
namespace {

// A line an event; what is said of several tasks is a line each. Those up to `after` are left out.
void PrintEvents(const Session& session, const std::vector<Event>& events, std::uint64_t after) {
  for (Event event : events) {
    for (std::uint32_t left = event.count; left > 0; --left) {
      if (event.sequence > after) session.PrintJson(EventJson(event));
      ++event.sequence;
      if (event.task) ++*event.task;
    }
  }
  std::fflush(stdout);
}

}  // namespace

// Without --follow it ends with the last event there is.
Result<int> RunEvents(Session& session) {
  const EventOptions& options = session.options().events;
  if (session.csv()) return UsageError("events prints JSON lines, not CSV", "o");
  ICARUS_TRY(session.CatchInterrupt());
  ICARUS_ASSIGN(Client * client, session.Broker());
  ListEvents request;
  request.after = options.after;
  while (true) {
    Result<EventsReply> reply = client->Ask<EventsReply>(ListEvents(request));
    if (!reply && reply.error().code == ErrorCode::kNotYet) return kExitInterrupted;
    if (!reply) return reply.error();
    PrintEvents(session, reply->events, request.after);
    const bool more = reply->last > request.after;
    request.after = reply->last;
    if (more) continue;
    if (!options.follow) return kExitDone;
    request.wait = true;
  }
}

}  // namespace icarus::client
