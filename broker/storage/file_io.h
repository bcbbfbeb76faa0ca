// What both the blobs and the stores need of files beside common/base/files.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/result.h"

namespace icarus::broker {

// ErrnoError, but a full disk or quota is kOverloaded with a retry time: nothing is lost, try again later.
Error DiskError(const std::string& what, int error_number);

// All of `bytes` at `offset`; `path` is for the message. After an error some of them may have been written.
Status WriteAt(int fd, const std::string& path, std::uint64_t offset, std::string_view bytes);

// Makes names created, renamed or removed in the directory survive a power cut.
Status SyncDirectory(const std::string& path);

// MakeDirectories with mode 0700, the new names synced.
Status MakePrivateDirectory(const std::string& path);

// Copies a file to a name that is not there yet, mode 0600, and syncs it.
Status CopyFile(const std::string& from, const std::string& to);
// A second name for the file where both lie on one file system, else a copy.
Status LinkOrCopyFile(const std::string& from, const std::string& to);

}  // namespace icarus::broker
