// How finely the value of a parameter counts for the key, where its manifest says so (`key_step`): values that are near
// each other share a result.
#pragma once

#include "common/analysis/manifest.h"
#include "common/model/value.h"

namespace icarus {

// The multiple of `step` that is nearest to the value. Reckoned with both as the decimal numbers that FormatNumber
// prints, not as binary fractions: 0.1 + 0.2 is 0.3 to a step of 0.1, and 0.15 lies in the middle of 0.1 and 0.2. From
// the middle it goes away from zero: 0.15 to 0.2, −0.15 to −0.2. Never −0. From 10^15 steps on, where numbers
// lie nearly as far apart as steps, a value is its own. Rounding again changes nothing; a larger value never gives a
// smaller one. REQUIRES step > 0, both finite.
double RoundToStep(double value, double step);

// The parameters that have a key_step, as the key counts them: rounded, lists item by item. A list keeps items that
// have become equal, as its result has a row for each.
ValueMap RoundedParams(const Manifest& manifest, const ValueMap& params);

}  // namespace icarus
