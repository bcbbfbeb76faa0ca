// Job specifications checked and brought to their canonical form, by the client before it sends and by the broker
// again.
#pragma once

#include <string>

#include "common/analysis/catalogue.h"
#include "common/base/result.h"
#include "common/model/job_spec.h"

namespace icarus {

// Checks everything that can be checked without a broker (names, types, ranges, limits, targets, axes, options) and
// makes the specification canonical in place: solver named, defaults filled in, lists sorted, timeouts and retries set.
// Idempotent. An error names the field, the value, what is allowed and the nearest name.
Status CanonicaliseSpec(const Catalogue& catalogue, JobSpec& spec);

// One value of a parameter, brought to its canonical form (a single angle becomes a list of one, lists are sorted).
Result<Value> CanonicaliseValue(const Parameter& parameter, const std::string& solver, const Value& value);

// Parameters of one task as the solver gets them, and as the key hashes them before it rounds (key_step.h): those
// without meaning are taken out. REQUIRES a canonical specification; an error when the combination of axis values is
// not allowed.
Result<ValueMap> TaskParams(const Manifest& manifest, ValueMap params);

}  // namespace icarus
