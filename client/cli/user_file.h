// Files that a user names on the command line.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace icarus::client {

// The content of a file, or of our standard input for "-". What cannot be read is the user's mistake: kUsage, with
// `field`.
Result<std::string> ReadUserFile(const std::string& path, std::uint64_t max_bytes, const std::string& field);

// What the operating system says of a path that the user named is the user's mistake too: kIo becomes kUsage with
// `field`; other errors stay what they are.
Error AboutUserPath(Error error, const std::string& field);

}  // namespace icarus::client
