// What can go wrong, as a value. A bug is not an Error: see check.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace icarus {

// The numbers travel on the wire and are never reused. Each maps to one exit code of the command line.
enum class ErrorCode : std::uint8_t {
  kInternal = 0,     // exit 70: a bug, or something that should not happen
  kUsage = 1,        // exit 2: unknown name, value out of range, wrong type
  kUnavailable = 2,  // exit 3: no broker answers
  kRefused = 3,      // exit 4: not allowed, or a limit
  kNotFound = 4,     // exit 4
  kNotYet = 5,       // exit 5: unfinished, or a timeout of the caller's own wait
  kOverloaded = 6,   // exit 6: not now; carries a retry time
  kProtocol = 7,     // exit 70: a peer sent what it must not
  kIo = 8,           // exit 70: the operating system refused
  kCorruption = 9,   // exit 70: stored bytes are not what was written
};
constexpr int EnumCount(ErrorCode) { return 10; }

// The word for the code in JSON output and logs, for example "usage".
const char* ErrorKindName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;                  // one line: what, why, what to do
  std::string field;                    // the parameter or key at fault, if one is
  std::optional<double> retry_after_s;  // only with kOverloaded

  static Error Make(ErrorCode code, std::string message, std::string field = {}) {
    return Error{code, std::move(message), std::move(field), std::nullopt};
  }
};

inline Error UsageError(std::string message, std::string field = {}) {
  return Error::Make(ErrorCode::kUsage, std::move(message), std::move(field));
}
inline Error IoError(std::string message) { return Error::Make(ErrorCode::kIo, std::move(message)); }
inline Error CorruptionError(std::string message) { return Error::Make(ErrorCode::kCorruption, std::move(message)); }
inline Error ProtocolError(std::string message, std::string field = {}) {
  return Error::Make(ErrorCode::kProtocol, std::move(message), std::move(field));
}

// "what: No such file or directory" from an errno value.
Error ErrnoError(const std::string& what, int error_number);

}  // namespace icarus
