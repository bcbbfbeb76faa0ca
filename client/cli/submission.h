// Sending a job: what `submit` and `run` share.
#pragma once

#include "client/cli/job_request.h"
#include "client/cli/options.h"
#include "client/cli/session.h"
#include "common/protocol/messages.h"

namespace icarus::client {

// The job that the options describe, with everything it needs at the broker.
Result<JobRequest> BuildWholeRequest(Session& session, const SubmitOptions& options, bool waits);

// Builds the job from the options, uploads its large inputs, and submits it. Warnings go to stderr. `waits`: the caller
// is going to wait for it, so that Ctrl-C is caught before the job can start.
Result<SubmitReply> SendJob(Session& session, const SubmitOptions& options, bool waits);

// Prints the id (or the JSON of the answer) on stdout and the line about it on stderr.
void TellSubmitted(const Session& session, const SubmitReply& reply);

}  // namespace icarus::client
