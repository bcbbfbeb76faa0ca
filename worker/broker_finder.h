// BrokerFinder: where the broker is now, by the access file. It is read again each time: after a restart the addresses
// may be others.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/config/access_file.h"

namespace icarus::worker {

class BrokerFinder {
 public:
  // `access_file` empty: the one of the home.
  BrokerFinder(Home home, std::string access_file) : home_(std::move(home)), file_(std::move(access_file)) {}

  // The endpoint to connect to; with several, the next one at each call. Remembers whose it is.
  Result<std::string> Next();
  // True when the access file names another broker process than the last Next did.
  bool HasMoved() const;
  const std::string& instance() const { return instance_; }

 private:
  Result<AccessFile> Read() const;

  Home home_;
  std::string file_;
  std::string instance_;
  std::size_t turn_ = 0;
};

}  // namespace icarus::worker
