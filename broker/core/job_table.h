// JobTable: every job that the broker knows, by id. A job that nothing happens to, as most in a long queue and all that
// have ended, is kept packed (job_packer.h), beyond a number that is not worth it; whoever asks for it gets it
// unpacked.
//
// References stay valid until PackIdle. Asking changes nothing that can be seen, so it is const.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "broker/core/job.h"
#include "broker/core/job_packer.h"

namespace icarus::broker {

class JobSlot {
 public:
  // REQUIRES that it is unpacked: it came from find or at in this turn.
  Job* operator->() const { return job_.get(); }
  Job& operator*() const { return *job_; }
  Job* get() const { return job_.get(); }

 private:
  friend class JobTable;
  std::unique_ptr<Job> job_;
  PackedJob packed_;  // when there is no job_
};

class JobTable {
 public:
  using Map = std::map<JobId, JobSlot>;

  // `unpacked`: how many idle jobs are left as they are.
  JobTable(const Catalogue& catalogue, std::size_t unpacked) : packer_(catalogue), unpacked_(unpacked) {}

  void Add(std::unique_ptr<Job> job);
  void erase(JobId id) { slots_.erase(id); }
  Map::iterator find(JobId id) const;
  JobSlot& at(JobId id) const;  // REQUIRES contains(id)
  Map::iterator end() const { return slots_.end(); }
  bool contains(JobId id) const { return slots_.contains(id); }
  std::size_t size() const { return slots_.size(); }

  // All of them, to be asked for their briefs, or looked at one at a time without being unpacked for good.
  const Map& slots() const { return slots_; }
  JobBrief BriefOf(const JobSlot& slot) const;
  // Calls look(const Job&).
  template <class Look>
  void Peek(const JobSlot& slot, const Look& look) const {
    slot.job_ ? look(*slot.job_) : look(*packer_.Unpack(slot.packed_));
  }
  bool IsPacked(JobId id) const { return !slots_.at(id).job_; }
  // In the ready queue now; it stays packed.
  void NoteQueued(JobId id) { JobPacker::NoteQueued(slots_.at(id).packed_); }

  // The end of a turn: what was asked for in it and is idle goes back into little room.
  void PackIdle();

 private:
  void NoteUse(JobId id, JobSlot& slot) const;

  mutable JobPacker packer_;
  const std::size_t unpacked_;
  mutable Map slots_;
  mutable std::vector<JobId> used_;  // in this turn
  std::deque<JobId> idle_;           // unpacked; may name what is gone or in use again
};

}  // namespace icarus::broker
