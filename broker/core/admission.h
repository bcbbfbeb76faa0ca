// Admission: whether a submission may come in. Above a watermark of tasks, jobs or memory new work is refused with the
// reason and a time to try again; results and cancels never are. Pure.
//
// Beyond each watermark a tenth of it is kept for users who hold less than a tenth: one who fills the queue does not
// shut out the others.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/base/result.h"

namespace icarus::broker {

struct AdmissionLimits {
  std::uint64_t tasks = 500'000'000;  // not final, of all users
  std::uint64_t jobs = 1'000'000;     // kept
  std::uint64_t tasks_per_job = 100'000'000;
  std::uint64_t memory_bytes = 0;  // of this process; 0: no limit
};

class Admission {
 public:
  // Jobs that are kept and tasks that are not final, as they come and go.
  void AddJob(const std::string& user) { ++held_[user].jobs, ++all_.jobs; }
  void DropJob(const std::string& user);
  void AddTasks(const std::string& user, std::uint64_t count) { held_[user].tasks += count, all_.tasks += count; }
  void EndTasks(const std::string& user, std::uint64_t count);

  std::uint64_t tasks() const { return all_.tasks; }
  std::uint64_t tasks_of(const std::string& user) const { return Of(user).tasks; }

  // kOverloaded with a retry time, or kRefused when it can never come in.
  Status Admit(const AdmissionLimits& limits, const std::string& user, std::uint64_t tasks,
               std::uint64_t memory_bytes) const;

 private:
  struct Held {
    std::uint64_t jobs = 0;
    std::uint64_t tasks = 0;
  };
  Held Of(const std::string& user) const;

  std::map<std::string, Held> held_;
  Held all_;
};

}  // namespace icarus::broker
