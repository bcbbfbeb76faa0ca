// Request classes: tasks that any worker either can or cannot take, alike. Interned, so that placement looks at
// classes, not tasks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/job_spec.h"

namespace icarus::broker {

struct RequestClass {
  std::string solver;
  std::string identity;
  Resources resources;  // memory rounded up to 1/8 octave
  std::map<std::string, std::string> require;
};

class RequestClasses {
 public:
  // The id of the class, made when it is new. Ids count from 0.
  std::uint32_t Intern(const JobSpec& spec, const std::string& identity);
  const RequestClass& Get(std::uint32_t id) const { return classes_[id]; }
  std::size_t size() const { return classes_.size(); }

 private:
  std::map<std::string, std::uint32_t> ids_;
  std::vector<RequestClass> classes_;
};

// The next of 8 sizes an octave that holds it: classes stay few.
std::int64_t RoundUpMemory(std::int64_t bytes);

}  // namespace icarus::broker
