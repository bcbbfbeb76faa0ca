// LoopInbox: how the other threads hand completions back to the loop: functions that the loop runs, and a descriptor
// that is readable while there are some.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace icarus::broker {

// It must outlive the threads that post to it. What was posted and not run is destroyed with it, unrun.
class LoopInbox {
 public:
  // An error when the process has no descriptor left.
  static Result<std::unique_ptr<LoopInbox>> Create();

  int fd() const { return event_.get(); }

  // Any thread, the loop's too.
  void Post(std::function<void()> function);

  // The loop's thread: runs what has been posted until now, in order, and returns how many. What these functions post
  // is left for the next call, which fd() announces.
  std::size_t RunAll();

 private:
  explicit LoopInbox(UniqueFd event) : event_(std::move(event)) {}

  UniqueFd event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace icarus::broker
