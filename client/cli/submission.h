// Sending a job: what `submit` and `run` share.
#pragma once

#include "client/cli/options.h"
#include "client/cli/session.h"
#include "common/protocol/messages.h"

namespace icarus::client {

// Builds the job from the options, uploads its large inputs, and submits it. Warnings go to stderr.
Result<SubmitReply> SendJob(Session& session, const SubmitOptions& options);

// Prints the id (or the JSON of the answer) on stdout and the line about it on stderr.
void TellSubmitted(const Session& session, const SubmitReply& reply);

}  // namespace icarus::client
