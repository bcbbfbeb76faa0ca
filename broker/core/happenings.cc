// What the core tells of itself, for `icarus events`.
#include "broker/core/broker_core.h"

namespace icarus::broker {
namespace {

Event MakeEvent(const char* kind, std::string detail, Now now) {
  Event event;
  event.at_ms = now.wall_ms;
  event.kind = kind;
  event.detail = std::move(detail);
  return event;
}

Event MakeJobEvent(const char* kind, const Job& job, std::string detail, Now now) {
  Event event = MakeEvent(kind, std::move(detail), now);
  event.job = job.id();
  event.user = job.record().user;
  return event;
}

}  // namespace

void BrokerCore::TellJob(const char* kind, const Job& job, std::string detail, Now now, Outbox& out) {
  out.Happened(MakeJobEvent(kind, job, std::move(detail), now));
}

void BrokerCore::TellTask(const char* kind, const Job& job, TaskIndex index, const std::string& worker,
                          std::string detail, Now now, Outbox& out) {
  Event event = MakeJobEvent(kind, job, std::move(detail), now);
  event.task = index;
  event.worker = worker;
  out.Happened(std::move(event));
}

void BrokerCore::TellWorker(const char* kind, const std::string& worker, std::string detail, Now now, Outbox& out) {
  Event event = MakeEvent(kind, std::move(detail), now);
  event.worker = worker;
  out.Happened(std::move(event));
}

void BrokerCore::TellCache(const char* kind, std::string detail, Now now, Outbox& out) {
  out.Happened(MakeEvent(kind, std::move(detail), now));
}

void BrokerCore::TellEnd(const Job& job, TaskIndex index, const TaskRecord& record, Now now, Outbox& out) {
  const char* kind = record.state == TaskState::kCompleted  ? "task_completed"
                     : record.state == TaskState::kTimedOut ? "task_timed_out"
                     : record.state == TaskState::kFailed   ? "task_failed"
                                                            : "task_cancelled";
  std::string detail;
  if (record.error) {
    detail = record.error->message;
  } else if (IsFromCache(record.via)) {
    detail = "cache";
  } else if (record.via == ResultVia::kJoined) {
    detail = "joined";
  }
  TellTask(kind, job, index, record.worker, std::move(detail), now, out);
}

}  // namespace icarus::broker
