// The client of the measuring programs: connected to the broker of $ICARUS_HOME, and greeted by it.
#pragma once

#include <memory>

#include "client/lib/client.h"
#include "common/base/random.h"
#include "common/config/environment.h"

namespace icarus::bench {

inline Result<std::unique_ptr<client::Client>> OpenClient() {
  ICARUS_ASSIGN(Home home, LocateHome("", ProcessEnvironment()));
  ICARUS_ASSIGN(auto client, client::Client::Connect({.home = home, .program = "icarus-bench"}));
  ICARUS_TRY(client->Greet());
  return client;
}

// The job, when all of it has completed.
inline Result<JobSummary> RunJob(client::Client& client, const JobSpec& spec) {
  ICARUS_ASSIGN(const SubmitReply reply, client.Ask<SubmitReply>(Submit{RandomHex(16), spec}));
  ICARUS_ASSIGN(auto ended, client.Wait({reply.job}));
  if (ended.jobs.empty() || ended.jobs.front().state != TaskState::kCompleted) {
    return Error::Make(ErrorCode::kInternal, "a job did not complete");
  }
  return std::move(ended.jobs.front());
}

}  // namespace icarus::bench
