// ResultBody to bytes and back: the one body that both ends, and the broker's core, read.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/result_body.h"

namespace icarus {

std::string EncodeResultBody(const ResultBody& body);
Result<ResultBody> DecodeResultBody(std::string_view bytes);

}  // namespace icarus
