#include "broker/event_service.h"

#include <algorithm>
#include <utility>

#include "common/model/limits.h"

namespace icarus::broker {

EventService::EventService(JobStore& store, Gateway& gateway, LoopInbox& inbox)
    : store_(store), gateway_(gateway), inbox_(inbox), thread_({256, 1u << 20}, {1, 1}) {}

bool EventService::Handle(const Received& received) {
  const auto* request = received.message.payload.get_if<ListEvents>();
  if (request == nullptr || received.role != PeerRole::kClient) return false;
  Ask({received.caller, received.message.correlation, *request});
  return true;
}

void EventService::OnDurable() {
  for (Question& question : std::exchange(waiting_, {})) Ask(std::move(question));
}

void EventService::Ask(Question question) {
  const Question asked = question;
  auto read = [this, question = std::move(question)]() mutable {
    const std::size_t limit = std::clamp<std::size_t>(question.request.limit, 1, limits::kPageEvents);
    auto events = store_.ReadEvents(question.request.after, limit);
    inbox_.Post([this, question = std::move(question), events = std::move(events)]() mutable {
      Answer(question, std::move(events));
    });
  };
  if (thread_.TryPost(Lane::kUrgent, std::move(read))) return;
  Error error = Error::Make(ErrorCode::kOverloaded, "too many ask for events at this moment");
  error.retry_after_s = 1;
  gateway_.Send(PeerRole::kClient, asked.caller.instance, Message{asked.correlation, ToErrorReply(error), {}});
}

void EventService::Answer(const Question& question, Result<std::vector<Event>> events) {
  AnyMessage answer;
  if (!events) {
    answer = ToErrorReply(events.error());
  } else if (events->empty() && question.request.wait) {
    waiting_.push_back(question);
    return;
  } else {
    EventsReply reply;
    reply.last = events->empty() ? question.request.after : events->back().sequence + events->back().count - 1;
    for (Event& event : *events) {
      const bool visible = question.caller.admin || event.user.empty() || event.user == question.caller.user;
      if (visible) reply.events.push_back(std::move(event));
    }
    answer = std::move(reply);
  }
  gateway_.Send(PeerRole::kClient, question.caller.instance, Message{question.correlation, std::move(answer), {}});
}

}  // namespace icarus::broker
