// JobPacker: a job that nothing happens to, in little room: its record and status as they would be stored, compressed
// against those of another job of the same analysis, and the few facts that are asked of every job.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/job.h"
#include "common/analysis/catalogue.h"
#include "common/protocol/dictionary_compressor.h"

namespace icarus::broker {

// What is asked of all jobs at once (lists, places in the queue, a start), so that none is unpacked for it.
struct JobBrief {
  // These are there for as long as the packer or the job.
  const std::string* user = nullptr;
  const std::string* solver = nullptr;
  std::int64_t submitted_at_ms = 0;
  std::int64_t enqueued_ms = 0;
  std::int64_t ended_ms = 0;  // when finished
  std::int32_t priority = 0;
  std::uint32_t request_class = 0;
  std::uint64_t ready = 0;
  TaskState state = TaskState::kPending;
  bool finished = false;
  bool released = false;  // finished, and its tasks are in the store alone
  bool held = false;
  bool timed = false;       // has a deadline, or a limit of its time in the queue
  bool identified = false;  // the identity of its solver is known
  bool probes = false;      // the cache is looked at ahead of its dispatch
  bool in_queue = false;
};
JobBrief BriefOf(const Job& job);

class PackedJob {
 public:
  PackedJob() = default;  // none
  explicit operator bool() const { return bytes_ != nullptr; }

 private:
  friend class JobPacker;
  std::unique_ptr<char[]> bytes_;  // a Head, then what was compressed
};

class JobPacker {
 public:
  explicit JobPacker(const Catalogue& catalogue) : catalogue_(catalogue) {}

  // Nothing of it would be lost: it is finished and released, or no task of it was ever taken or ended.
  static bool CanPack(const Job& job);
  // REQUIRES CanPack. None when it would take more room than is sensible to unpack again and again.
  PackedJob Pack(const Job& job);
  std::unique_ptr<Job> Unpack(const PackedJob& packed) const;
  JobBrief BriefOf(const PackedJob& packed) const;
  // That it is in the ready queue, of this class, which it was not when it was packed.
  static void NoteQueued(PackedJob& packed);

 private:
  struct Head;
  static Head HeadOf(const PackedJob& packed);
  std::optional<std::uint16_t> NumberOf(const std::string& name);

  const Catalogue& catalogue_;
  // Users and solvers by number.
  std::map<std::string, std::uint16_t> numbers_;
  std::vector<const std::string*> names_;
  std::map<std::string, std::uint8_t> dictionary_of_;  // by analysis
  std::vector<std::unique_ptr<DictionaryCompressor>> dictionaries_;
};

}  // namespace icarus::broker
