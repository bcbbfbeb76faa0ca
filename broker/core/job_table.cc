#include "broker/core/job_table.h"

#include <utility>

#include "common/base/check.h"

namespace icarus::broker {

void JobTable::Add(std::unique_ptr<Job> job) {
  const JobId id = job->id();
  JobSlot& slot = slots_[id];
  slot.job_ = std::move(job);
  slot.packed_ = PackedJob();
  NoteUse(id, slot);
}

void JobTable::NoteUse(JobId id, JobSlot& slot) const {
  if (slot.job_->in_use) return;
  slot.job_->in_use = true;
  used_.push_back(id);
}

JobTable::Map::iterator JobTable::find(JobId id) const {
  const auto found = slots_.find(id);
  if (found == slots_.end()) return found;
  JobSlot& slot = found->second;
  if (!slot.job_) {
    slot.job_ = packer_.Unpack(slot.packed_);
    slot.packed_ = PackedJob();
  }
  NoteUse(id, slot);
  return found;
}

JobSlot& JobTable::at(JobId id) const {
  const auto found = find(id);
  ICARUS_CHECK(found != slots_.end());
  return found->second;
}

JobBrief JobTable::BriefOf(const JobSlot& slot) const {
  return slot.job_ ? broker::BriefOf(*slot.job_) : packer_.BriefOf(slot.packed_);
}

void JobTable::PackIdle() {
  for (const JobId id : used_) {
    const auto found = slots_.find(id);
    if (found == slots_.end() || !found->second.job_) continue;
    found->second.job_->in_use = false;
    Job& job = *found->second.job_;
    if (job.idle || !JobPacker::CanPack(job)) continue;
    job.idle = true;
    idle_.push_back(id);
  }
  used_.clear();
  while (idle_.size() > unpacked_) {
    const auto found = slots_.find(idle_.front());
    idle_.pop_front();
    if (found == slots_.end() || !found->second.job_) continue;
    JobSlot& slot = found->second;
    slot.job_->idle = false;
    if (!JobPacker::CanPack(*slot.job_)) continue;
    slot.packed_ = packer_.Pack(*slot.job_);
    slot.job_->is_too_large = !slot.packed_;
    if (slot.packed_) slot.job_.reset();
  }
}

}  // namespace icarus::broker
