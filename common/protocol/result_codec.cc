#include "common/protocol/result_codec.h"

#include "common/protocol/map_codec.h"

namespace icarus {

std::string EncodeResultBody(const ResultBody& body) { return codec::EncodeMap(body); }
Result<ResultBody> DecodeResultBody(std::string_view bytes) { return codec::DecodeMap<ResultBody>(bytes); }

}  // namespace icarus
