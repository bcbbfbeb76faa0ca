#include "common/transport/context.h"

#include <sys/resource.h>

#include <string>
#include <utility>

#include "common/transport/context_impl.h"

namespace icarus {
namespace {

void RaiseOpenFilesLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // on failure the old limit stays, which is all that can be done
}

}  // namespace

TransportContext::TransportContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TransportContext::~TransportContext() = default;

Result<std::unique_ptr<TransportContext>> TransportContext::Create() {
  RaiseOpenFilesLimit();
  try {
    return std::unique_ptr<TransportContext>(new TransportContext(std::make_unique<Impl>()));
  } catch (const zmq::error_t& error) {
    return IoError(std::string("cannot start ZeroMQ: ") + error.what());
  }
}

}  // namespace icarus
