#include "client/cli/user_file.h"

#include "common/base/files.h"

namespace icarus::client {

Result<std::string> ReadUserFile(const std::string& path, std::uint64_t max_bytes, const std::string& field) {
  auto content = ReadFile(path == "-" ? "/dev/stdin" : path, max_bytes);
  if (content) return content;
  return UsageError(content.error().message, field);
}

Error AboutUserPath(Error error, const std::string& field) {
  if (error.code != ErrorCode::kIo) return error;
  return UsageError(std::move(error).message + "; name another place", field);
}

}  // namespace icarus::client
