// The directory of one worker, home/workers/NAME: its lock, the instance that last held it, fetched inputs, outputs on
// their way, and the scratch directories of its attempts.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/config/home.h"

namespace icarus::worker {

class WorkerDirectory {
 public:
  // Creates and locks it for the life of this object, then removes what a dead predecessor left. `scratch` empty:
  // within the directory; else a directory of this worker's own below `scratch`. kRefused: a living process holds it;
  // the message names it. kUsage: the name cannot be a directory's.
  static Result<WorkerDirectory> Open(const Home& home, const std::string& name, const std::string& scratch);

  const std::string& scratch() const { return scratch_; }
  std::string outbox() const { return dir_ + "/outbox"; }
  std::string blobs() const { return dir_ + "/blobs"; }

  // What the paths of the sockets of this worker's commands begin with, below `sockets`; at most 8 bytes of a name. A
  // dead predecessor's are removed.
  std::string PrepareValueSockets(const std::string& sockets) const;

  // The instance that wrote last, if it did not leave in good order.
  const std::string& predecessor() const { return predecessor_; }
  Status WriteInstance(const std::string& instance);
  void ForgetInstance();  // this one leaves in good order

 private:
  explicit WorkerDirectory(std::string dir) : dir_(std::move(dir)) {}
  Status Lock(const std::string& name);
  Status Prepare(const std::string& name, const std::string& scratch);

  std::string dir_;
  std::string scratch_;
  std::string predecessor_;
  UniqueFd lock_;
};

}  // namespace icarus::worker
