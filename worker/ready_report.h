// ReadyReport: tells whoever started this program, once, that it serves ("ok") or why it cannot: one line to
// --ready-fd.
#pragma once

#include <string>

#include "common/base/unique_fd.h"

namespace icarus::worker {

class ReadyReport {
 public:
  explicit ReadyReport(int fd);  // owned, and closed in programs that are executed; -1: nobody waits

  void Ready() { Say("ok"); }
  void Failed(const std::string& why) { Say(why); }

 private:
  void Say(const std::string& line);
  UniqueFd fd_;
};

}  // namespace icarus::worker
