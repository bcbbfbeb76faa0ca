// From the options of `submit` and `run` to the job specification that is sent.
#pragma once

#include <vector>

#include "client/cli/command_files.h"
#include "client/cli/options.h"
#include "common/analysis/catalogue.h"
#include "common/base/result.h"
#include "common/model/job_spec.h"

namespace icarus::client {

struct JobRequest {
  JobSpec spec;  // canonical; the inputs that `pending` names have no content and no hash yet
  std::vector<PendingInput> pending;
};

// Reads the files that the options name and checks everything that can be checked without a broker.
// Usage errors name the option or the parameter.
Result<JobRequest> BuildJobRequest(const Catalogue& catalogue, const SubmitOptions& options);

}  // namespace icarus::client
