// What a task wrote to its standard output and error.
#pragma once

#include "client/lib/client.h"
#include "common/base/result.h"
#include "common/model/result_body.h"

namespace icarus::client {

// Its stdout to ours, then its stderr to ours, whole.
Status WriteTaskOutput(Client& client, const ResultBody& body);

}  // namespace icarus::client
