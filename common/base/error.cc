#include "common/base/error.h"

#include <cstring>

namespace icarus {

const char* ErrorKindName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal: return "internal";
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kRefused: return "refused";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kNotYet: return "not_yet";
    case ErrorCode::kOverloaded: return "overloaded";
    case ErrorCode::kProtocol: return "protocol";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kCorruption: return "corruption";
  }
  return "internal";
}

Error ErrnoError(const std::string& what, int error_number) {
  return IoError(what + ": " + std::strerror(error_number));
}

}  // namespace icarus
