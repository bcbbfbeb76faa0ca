// Answers ListEvents from the store. One that wants to wait is answered when more has happened. Owned and used by the
// loop's thread; the reads are made by one of its own.
#pragma once

#include <vector>

#include "broker/net/gateway.h"
#include "broker/ports/job_store.h"
#include "broker/storage/io_thread.h"
#include "broker/storage/loop_inbox.h"

namespace icarus::broker {

class EventService {
 public:
  EventService(JobStore& store, Gateway& gateway, LoopInbox& inbox);

  // Takes the message if it asks for events.
  bool Handle(const Received& received);
  // A batch is on disk.
  void OnDurable();

 private:
  struct Question {
    Caller caller;
    std::uint64_t correlation = 0;
    ListEvents request;
  };
  void Ask(Question question);
  void Answer(const Question& question, Result<std::vector<Event>> events);

  JobStore& store_;
  Gateway& gateway_;
  LoopInbox& inbox_;
  std::vector<Question> waiting_;
  IoThread thread_;
};

}  // namespace icarus::broker
