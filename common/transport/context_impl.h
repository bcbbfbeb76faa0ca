// The inside of TransportContext, for the sockets of this folder alone.
#pragma once

#include <zmq.hpp>

#include "common/transport/context.h"

namespace icarus {

struct TransportContext::Impl {
  zmq::context_t zmq;
};

}  // namespace icarus
