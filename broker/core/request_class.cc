#include "broker/core/request_class.h"

#include "common/model/value.h"

namespace icarus::broker {

std::int64_t RoundUpMemory(std::int64_t bytes) {
  if (bytes <= 8) return bytes;
  std::int64_t octave = 1;
  while (octave * 2 <= bytes) octave *= 2;
  const std::int64_t step = octave / 8;
  return (bytes + step - 1) / step * step;
}

std::uint32_t RequestClasses::Intern(const JobSpec& spec, const std::string& identity) {
  RequestClass request{spec.solver, identity, spec.resources, spec.require};
  request.resources.memory_bytes = RoundUpMemory(spec.resources.memory_bytes);
  std::string key;
  AppendCanonicalString(key, request.solver);
  AppendCanonicalString(key, request.identity);
  key += std::to_string(request.resources.cpus) + "/" + std::to_string(request.resources.memory_bytes);
  for (const auto& [name, count] : request.resources.named) {
    AppendCanonicalString(key, name);
    key += std::to_string(count);
  }
  for (const auto& [name, value] : request.require) {
    AppendCanonicalString(key, name);
    AppendCanonicalString(key, value);
  }
  const auto [it, made] = ids_.emplace(std::move(key), static_cast<std::uint32_t>(classes_.size()));
  if (made) classes_.push_back(std::move(request));
  return it->second;
}

}  // namespace icarus::broker
