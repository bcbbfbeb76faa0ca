// What the core tells of itself, for `icarus events`.
#include "broker/core/broker_core.h"

namespace icarus::broker {

void BrokerCore::TellJob(const char* kind, const Job& job, std::string detail, Now now, Outbox& out) {
  Event event;
  event.at_ms = now.wall_ms;
  event.kind = kind;
  event.job = job.id();
  event.user = job.record().user;
  event.detail = std::move(detail);
  out.Happened(std::move(event));
}

void BrokerCore::TellTask(const char* kind, const Job& job, TaskIndex index, const std::string& worker,
                          std::string detail, Now now, Outbox& out) {
  Event event;
  event.at_ms = now.wall_ms;
  event.kind = kind;
  event.job = job.id();
  event.task = index;
  event.user = job.record().user;
  event.worker = worker;
  event.detail = std::move(detail);
  out.Happened(std::move(event));
}

void BrokerCore::TellWorker(const char* kind, const std::string& worker, std::string detail, Now now, Outbox& out) {
  Event event;
  event.at_ms = now.wall_ms;
  event.kind = kind;
  event.worker = worker;
  event.detail = std::move(detail);
  out.Happened(std::move(event));
}

void BrokerCore::TellEnd(const Job& job, TaskIndex index, const TaskRecord& record, Now now, Outbox& out) {
  const char* kind = record.state == TaskState::kCompleted  ? "task_completed"
                     : record.state == TaskState::kTimedOut ? "task_timed_out"
                     : record.state == TaskState::kFailed   ? "task_failed"
                                                            : "task_cancelled";
  std::string detail;
  if (record.error) {
    detail = record.error->message;
  } else if (record.via == ResultVia::kCache) {
    detail = "cache";
  } else if (record.via == ResultVia::kJoined) {
    detail = "joined";
  }
  TellTask(kind, job, index, record.worker, std::move(detail), now, out);
}

}  // namespace icarus::broker
