// The exit codes of the programs: part of what users rely on.
#pragma once

#include "common/base/error.h"

namespace icarus {

constexpr int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return 2;
    case ErrorCode::kUnavailable: return 3;
    case ErrorCode::kRefused:
    case ErrorCode::kNotFound: return 4;
    case ErrorCode::kNotYet: return 5;
    case ErrorCode::kOverloaded: return 6;
    case ErrorCode::kInternal:
    case ErrorCode::kProtocol:
    case ErrorCode::kIo:
    case ErrorCode::kCorruption: return 70;
  }
  return 70;
}

}  // namespace icarus
