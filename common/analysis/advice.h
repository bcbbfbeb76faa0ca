// What a user would want to know of a valid specification before the work begins.
#pragma once

#include <string>
#include <vector>

#include "common/analysis/manifest.h"
#include "common/model/job_spec.h"

namespace icarus {

// A line each; none for most jobs. REQUIRES a canonical specification of that analysis.
std::vector<std::string> Advise(const Manifest& manifest, const JobSpec& spec);

}  // namespace icarus
