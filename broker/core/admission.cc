#include "broker/core/admission.h"

namespace icarus::broker {
namespace {

constexpr std::uint64_t kShareOfSmallUsers = 10;  // one in so many, beyond the watermark
constexpr double kRetryAfterS = 10;

Error Full(std::string message) {
  Error error = Error::Make(ErrorCode::kOverloaded, std::move(message));
  error.retry_after_s = kRetryAfterS;
  return error;
}

// `held` of `all` are the user's, and `more` are asked for.
bool Fits(std::uint64_t limit, std::uint64_t all, std::uint64_t held, std::uint64_t more) {
  if (all + more <= limit) return true;
  const std::uint64_t share = limit / kShareOfSmallUsers;
  return all + more <= limit + share && held + more <= share;
}

}  // namespace

Admission::Held Admission::Of(const std::string& user) const {
  const auto held = held_.find(user);
  return held == held_.end() ? Held{} : held->second;
}

void Admission::DropJob(const std::string& user) {
  const auto held = held_.find(user);
  --held->second.jobs, --all_.jobs;
  if (held->second.jobs == 0) held_.erase(held);
}

void Admission::EndTasks(const std::string& user, std::uint64_t count) {
  held_.at(user).tasks -= count;
  all_.tasks -= count;
}

Status Admission::Admit(const AdmissionLimits& limits, const std::string& user, std::uint64_t tasks,
                        std::uint64_t memory_bytes) const {
  if (tasks > limits.tasks_per_job) {
    return Error::Make(ErrorCode::kRefused, "the job has " + std::to_string(tasks) + " tasks, and at most " +
                                                std::to_string(limits.tasks_per_job) +
                                                " are taken (limits.tasks_per_job); submit it in parts");
  }
  const Held held = Of(user);
  if (!Fits(limits.tasks, all_.tasks, held.tasks, tasks)) {
    return Full("the queue is full: " + std::to_string(all_.tasks) + " tasks wait or run, " +
                std::to_string(held.tasks) + " of them yours, and " + std::to_string(tasks) +
                " more are too many (limits.pending_tasks=" + std::to_string(limits.tasks) + ")");
  }
  if (!Fits(limits.jobs, all_.jobs, held.jobs, 1)) {
    return Full("the broker keeps " + std::to_string(all_.jobs) + " jobs, " + std::to_string(held.jobs) +
                " of them yours, and no more (limits.jobs=" + std::to_string(limits.jobs) +
                "); a lower jobs.retention_hours makes room");
  }
  if (limits.memory_bytes > 0 && !Fits(limits.memory_bytes, memory_bytes, 0, 0)) {
    return Full("the broker uses " + std::to_string(memory_bytes >> 20) + " MiB of memory, and takes nothing above " +
                std::to_string(limits.memory_bytes >> 20) + " (limits.memory_mb)");
  }
  if (limits.memory_bytes > 0 && memory_bytes > limits.memory_bytes && held.tasks > all_.tasks / kShareOfSmallUsers) {
    return Full("the broker uses " + std::to_string(memory_bytes >> 20) +
                " MiB of memory, above limits.memory_mb=" + std::to_string(limits.memory_bytes >> 20) + ", and " +
                std::to_string(held.tasks) + " of its " + std::to_string(all_.tasks) + " tasks are yours");
  }
  return {};
}

}  // namespace icarus::broker
