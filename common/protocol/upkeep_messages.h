// Upkeep on demand: what else happens by itself, now. Part of messages.h, which everybody includes.
#pragma once

#include <cstdint>

#include "common/model/fields.h"
#include "common/protocol/message_type.h"

namespace icarus {

// An admin's. Drops what has expired and gives memory back. In an emergency also the memory that the cache takes beside
// its disk, what it has stored where the disk is full, and the slots of running tasks below emergency.priority_floor:
// they go back to the queue, and nothing below the floor starts for a minute. Answered when the workers have ended
// them.
struct Upkeep {
  static constexpr MessageType kType = MessageType::kUpkeep;
  bool emergency = false;
  ICARUS_FIELDS(Upkeep, emergency)
};
struct UpkeepReply {
  static constexpr MessageType kType = MessageType::kUpkeepReply;
  std::uint64_t expired = 0;        // cached entries, since the upkeep before
  std::uint64_t tasks_cleaned = 0;  // of jobs that are not kept any more, since the upkeep before
  std::uint64_t cache_cleared = 0;  // blocks of the cache's memory and, where the disk is full, entries
  std::uint64_t bytes_freed = 0;    // of memory, and with entries of the disk: measured, never more than was freed
  std::uint64_t stopped = 0;        // attempts that ran
  std::uint64_t requeued = 0;       // tasks that went back to the queue
  ICARUS_FIELDS(UpkeepReply, expired, tasks_cleaned, cache_cleared, bytes_freed, stopped, requeued)
};

}  // namespace icarus
