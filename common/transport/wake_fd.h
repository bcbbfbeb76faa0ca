// WakeFd: lets any thread wake a poll loop (an eventfd). Signals coalesce.
#pragma once

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace icarus {

class WakeFd {
 public:
  static Result<WakeFd> Create();

  int fd() const { return fd_.get(); }
  void Wake() const;   // any thread; never blocks
  void Clear() const;  // the loop's thread, before it looks at what it was woken for

 private:
  explicit WakeFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace icarus
