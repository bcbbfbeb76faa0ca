// HostValues: the solver host's way to intermediate values: it asks its worker, through guardian and launcher.
#pragma once

#include <string>
#include <vector>

#include "worker/launcher/frame_channel.h"
#include "worker/solvers/intermediate_values.h"

namespace icarus::worker {

class HostValues final : public IntermediateValues {
 public:
  // For the attempt `id`; `channel` outlives it and is read by it alone meanwhile.
  HostValues(std::uint64_t id, FrameChannel& channel) : id_(id), channel_(channel) {}

  // A worker that did not answer once is not asked again in this attempt.
  std::vector<std::optional<std::string>> Get(const std::vector<std::string>& keys) override;
  void Put(const std::string& key, std::string value, double compute_s) override;

 private:
  std::optional<std::string> AwaitAnswer();  // the frame's payload

  std::uint64_t id_;
  FrameChannel& channel_;
  bool silent_ = false;
};

}  // namespace icarus::worker
