// The catalogue for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "client/output/display.h"
#include "client/output/json_text.h"
#include "common/analysis/manifest.h"
#include "common/protocol/messages.h"

namespace icarus::client {

// A line an analysis.
std::string CatalogueText(const std::vector<Manifest>& manifests, const std::vector<WorkerInfo>& workers,
                          const TextStyle& style);

// One in full: parameters, columns, solvers and where they are, an example.
std::string AnalysisText(const Manifest& manifest, const std::vector<WorkerInfo>& workers, const TextStyle& style);

// {"analysis","summary","target","solvers":[{"name","workers":{name:
// identity}}],"parameters":[…],"columns":[…],"cached", "timeout_s","retries","example"}
Json AnalysisJson(const Manifest& manifest, const std::vector<WorkerInfo>& workers);

}  // namespace icarus::client
