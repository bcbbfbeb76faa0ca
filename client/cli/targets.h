// What is analysed, from the command line: names, files, and lists of them.
#pragma once

#include <string>
#include <vector>

#include "common/analysis/manifest.h"
#include "common/base/result.h"
#include "common/model/sweep.h"

namespace icarus::client {

// A name, or for an analysis of airfoils a file (with / or .) that is read and brought to its canonical form.
Result<Target> ReadTarget(TargetKind kind, const std::string& text);

// --target in their order, then the lines of --targets (blank ones and comments with # are skipped).
Result<std::vector<Target>> ReadTargets(TargetKind kind, const std::vector<std::string>& texts,
                                        const std::string& list_file);

}  // namespace icarus::client
