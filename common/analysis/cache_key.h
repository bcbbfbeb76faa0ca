// The identity of a task's result: a 256-bit hash of the canonical form of everything that can change it.
#pragma once

#include <string>

#include "common/analysis/manifest.h"
#include "common/base/result.h"
#include "common/model/content_hash.h"
#include "common/model/job_spec.h"

namespace icarus {

// What a key is made of. Null: none. A command is meant as it will run, its placeholders replaced.
struct KeyParts {
  const Manifest& manifest;
  const std::string& solver;
  const std::string& identity;  // version+build
  const Target* target = nullptr;
  const CommandSpec* command = nullptr;
  const ValueMap& params;  // of TaskParams
};

// The canonical form: JSON with sorted keys of analysis, solver identity, target content, all parameters and schema;
// for a command also its line, inputs and environment. Parameters with a key_step are rounded to it, and the steps are
// part of the form: an entry holds the result of some value within half a step of the rounded one, so under another
// step, or without one, it would answer for values that it is not near to.
std::string CanonicalForm(const KeyParts& parts);

// The same of one task of a job; an error when its combination of axis values is not allowed.
// REQUIRES a canonical specification and index < its number of tasks.
Result<std::string> TaskForm(const JobSpec& spec, const Manifest& manifest, const std::string& identity,
                             TaskIndex index);

// Of an intermediate value that a solver keeps under a key of its own. No result has the same form.
std::string IntermediateForm(const std::string& analysis, const std::string& solver, const std::string& identity,
                             const std::string& key);

// Whether the job's results may be read from and written to the cache.
bool IsCacheable(const Manifest& manifest, const JobSpec& spec);

}  // namespace icarus
