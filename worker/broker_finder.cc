#include "worker/broker_finder.h"

namespace icarus::worker {

Result<AccessFile> BrokerFinder::Read() const { return file_.empty() ? FindBroker(home_) : FindBrokerByFile(file_); }

Result<std::string> BrokerFinder::Next() {
  ICARUS_ASSIGN(const AccessFile access, Read());
  if (access.worker_endpoints.empty()) {
    return Error::Make(ErrorCode::kRefused, "the broker of this access file takes no workers from here");
  }
  turn_ = access.instance == instance_ ? turn_ + 1 : 0;
  instance_ = access.instance;
  return access.worker_endpoints[turn_ % access.worker_endpoints.size()];
}

bool BrokerFinder::HasMoved() const {
  const Result<AccessFile> access = Read();
  return access && access->instance != instance_;
}

}  // namespace icarus::worker
