// Copies of file content between descriptors.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "common/base/result.h"

namespace icarus::worker {

// Of a mode, what travels with a file: a set-user-id bit does not.
inline constexpr unsigned kPermissionBits = 0777;

Status WriteFully(int fd, std::string_view bytes);

// The whole of `from` into the empty file `to`, sharing its blocks where the file system can (FICLONE,
// ioctl_ficlone(2)). Neither offset matters before, nor is it defined after.
Status CopyFile(int from, int to);

// Reads `fd` from its start, a block at a time. Returns the number of bytes.
Result<std::uint64_t> ReadThrough(int fd, const std::function<Status(std::string_view)>& each);

}  // namespace icarus::worker
