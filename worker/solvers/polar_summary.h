// What a polar amounts to in a few numbers, the same for every solver.
#pragma once

#include <vector>

#include "common/model/value.h"

namespace icarus::worker {

// `rows` hold PolarColumns() in rising order of aoa. Keys: cl_max, aoa_cl_max, cd_min, l_over_d_max, aoa_zero_lift
// (where cl changes sign, linear between two rows; the change nearest 0 degrees), cl_alpha_per_deg (least squares over
// |aoa| <= 5, or over all rows when fewer than two lie there). Null where the rows do not say.
ValueMap SummarisePolar(const std::vector<std::vector<Value>>& rows);

}  // namespace icarus::worker
