// Something that happened, as `icarus events` shows it. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/fields.h"
#include "common/model/ids.h"

namespace icarus {

struct Event {
  std::uint64_t sequence = 0;  // of the first task; rises by one an event, over restarts too
  std::int64_t at_ms = 0;      // wall
  std::string kind;            // docs/operations.md lists them
  JobId job;                   // 0: of no job
  std::optional<TaskIndex> task;
  std::uint32_t count = 1;  // of that many tasks, one after the other, the same is said
  std::string user;         // the owner of the job; empty: everyone may see it
  std::string worker;
  std::string detail;
  ICARUS_FIELDS(Event, sequence, at_ms, kind, job, task, count, user, worker, detail)
  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace icarus
